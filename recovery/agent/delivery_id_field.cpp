#include "recovery/agent/delivery_id_field.hpp"

#include <algorithm>
#include <string>

namespace recovery::agent {
namespace {

constexpr std::string_view field_name = "x-dumpster-id";

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_blank(text.front()))
    text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back()))
    text.remove_suffix(1);
  return text;
}

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool is_our_field(std::string_view line) {
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos || is_blank(line.front())) return false;
  const std::string_view name = trimmed(line.substr(0, colon));
  return std::equal(name.begin(), name.end(), field_name.begin(), field_name.end(),
                    [](char a, char b) { return lower(a) == b; });
}

/// Takes the next line off `text`, without its end.
std::string_view next_line(std::string_view& text) {
  const std::size_t end = text.find('\n');
  std::string_view line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

}  // namespace

std::optional<dumpster::Uuid> delivery_id_in_value(std::string_view value) {
  value = trimmed(value);
  const std::size_t slash = value.rfind('/');
  if (slash == std::string_view::npos) return std::nullopt;
  return dumpster::uuid_from(trimmed(value.substr(slash + 1)));
}

std::optional<dumpster::Uuid> delivery_id_in_header(std::string_view text) {
  while (!text.empty()) {
    const std::string_view line = next_line(text);
    if (line.empty()) return std::nullopt;
    if (!is_our_field(line)) continue;
    std::string value{line.substr(line.find(':') + 1)};
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t'))
      value += next_line(text);
    return delivery_id_in_value(value);
  }
  return std::nullopt;
}

}  // namespace recovery::agent
