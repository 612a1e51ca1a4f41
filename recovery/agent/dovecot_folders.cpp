#include "recovery/agent/dovecot_folders.hpp"

namespace recovery::agent {
namespace {

struct Namespace {
  bool is_private = true;
  bool inbox = false;
  bool disabled = false;
  bool second_view = false;  ///< of mail that is elsewhere, too
  std::string prefix;
};

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

std::string_view unquoted(std::string_view value) {
  return value.size() >= 2 && value.front() == '"' && value.back() == '"' ? value.substr(1, value.size() - 2)
                                                                          : value;
}

void set(Namespace& space, std::string_view key, std::string_view value) {
  if (key == "type") space.is_private = value == "private";
  if (key == "inbox") space.inbox = value == "yes";
  if (key == "disabled") space.disabled = value == "yes";
  if (key == "prefix") space.prefix = value;
  if (key == "location" && value.starts_with("virtual:")) space.second_view = true;
  if (key == "alias_for" && !value.empty()) space.second_view = true;
}

/// Reads blocks `namespace [NAME] { key = value … }`, which may have others within them.
std::vector<Namespace> read(std::string_view text) {
  std::vector<Namespace> all;
  int depth = 0;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    const std::string_view line = trimmed(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.ends_with('{')) {
      if (depth++ == 0) all.emplace_back();
    } else if (line == "}") {
      --depth;
    } else if (const std::size_t sign = line.find('='); depth == 1 && sign != std::string_view::npos) {
      set(all.back(), trimmed(line.substr(0, sign)), unquoted(trimmed(line.substr(sign + 1))));
    }
  }
  return all;
}

}  // namespace

dumpster::Result<std::vector<std::string>> dovecot_folders(std::string_view namespaces) {
  const std::vector<Namespace> all = read(namespaces);
  if (all.empty()) return std::vector<std::string>{"*"};
  std::vector<std::string> folders;
  for (const Namespace& space : all) {
    if (!space.is_private || space.disabled || space.second_view) continue;
    if (space.prefix.find_first_of("%*") != std::string::npos) {
      return dumpster::Error{dumpster::Fault::unavailable,
                             "Dovecot's private namespace has a prefix with a variable: " + space.prefix};
    }
    if (space.inbox) folders.emplace_back("INBOX");
    if (!space.prefix.empty()) folders.push_back(space.prefix.substr(0, space.prefix.size() - 1));
    folders.push_back(space.prefix + "*");
  }
  if (folders.empty())
    return dumpster::Error{dumpster::Fault::unavailable, "Dovecot has no private namespace"};
  return folders;
}

}  // namespace recovery::agent
