#include "relay/hub/configuration/sections.hpp"

#include <algorithm>

namespace relay {

using namespace std::chrono_literals;
using recovery::Microseconds;
using recovery::TomlTable;

bool is_name(const std::string& name) {
  return !name.empty() && name.size() <= 64 && std::all_of(name.begin(), name.end(), [](unsigned char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.';
  });
}

std::string checked_name(TomlTable& table, std::set<std::string>& taken) {
  auto name = table.name("name");
  if (!name.empty() && !is_name(name)) {
    table.fault("name", "`name` \"" + name + "\" may only have letters, digits, `-`, `_` and `.`");
  } else if (!name.empty() && !taken.insert(name).second) {
    table.fault("name", "`name` \"" + name + "\" is taken already");
  }
  return name;
}

std::optional<ListenAddress> address_of(TomlTable& table, const std::optional<std::string>& text) {
  if (!text || text->empty()) return std::nullopt;
  const auto address = listen_address_from(*text);
  if (!address)
    table.fault("address", "`address` \"" + *text + "\" is not of the form 192.0.2.1:25 or [::1]:25");
  return address;
}

std::optional<NextHop> read_next_hop(TomlTable& table, std::string_view key, const std::string& text) {
  const auto hop = next_hop_from(text);
  if (!hop) {
    table.fault(key,
                "`" + std::string{key} + "` \"" + text +
                    "\" is not of the form lmtp://HOST:PORT or smtp://HOST:PORT, with ?tls=none, starttls "
                    "or implicit at the most");
  }
  return hop;
}

}  // namespace relay
