#include <algorithm>

#include "relay/smtp/server_machine.hpp"

namespace relay::smtp {
namespace {

constexpr std::size_t max_reply_line = 512;  // RFC 5321 4.5.3.1.5

/// Only printable ASCII goes out: a reply may carry words of others.
void append_printable(std::string& output, std::string_view text) {
  for (const char c : text)
    output.push_back(c >= ' ' && c <= '~' ? c : '?');
}

}  // namespace

std::string serialize(const Reply& reply) {
  const auto code = std::to_string(std::clamp(reply.code, 200, 599));
  const auto enhanced = reply.enhanced.empty() ? std::string{} : reply.enhanced + ' ';
  const auto room = max_reply_line - code.size() - 1 - enhanced.size() - 2;
  std::string output;
  std::string_view rest = reply.text;
  while (true) {
    auto line = rest.substr(0, rest.find('\n'));
    const bool cut = line.size() > room;
    if (cut) line = line.substr(0, room);
    rest.remove_prefix(line.size());
    const bool broken = !cut && !rest.empty();
    if (broken) rest.remove_prefix(1);
    const bool last = rest.empty();
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    output += code;
    output += last ? ' ' : '-';
    output += enhanced;
    append_printable(output, line);
    output += "\r\n";
    if (last) return output;
  }
}

}  // namespace relay::smtp
