#include "relay/notification/mime_text.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdio>

#include "relay/smtp/text.hpp"

namespace relay::notification {
namespace {

constexpr std::size_t max_text_line = 998;   // RFC 5322 2.1.1
constexpr std::size_t max_quoted_line = 75;  // RFC 2045 6.7, and the `=` of a soft line break

/// The character at the front of well-formed UTF-8, taken off.
std::uint32_t take_character(std::string_view& text) {
  const auto lead = static_cast<std::uint8_t>(text.front());
  const std::size_t size = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  std::uint32_t character = size == 1 ? lead : lead & (0xFFU >> (size + 1));
  for (std::size_t i = 1; i < size; ++i) {
    character = (character << 6U) | (static_cast<std::uint8_t>(text[i]) & 0x3FU);
  }
  text.remove_prefix(size);
  return character;
}

std::string hexadecimal(std::uint32_t number) {
  std::string digits(9, '\0');
  digits.resize(static_cast<std::size_t>(std::snprintf(digits.data(), digits.size(), "%02X", number)));
  return digits;
}

}  // namespace

std::string printable(std::string_view text, std::size_t longest) {
  std::string safe{text.substr(0, longest)};
  std::replace_if(
      safe.begin(), safe.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
  return safe;
}

std::string ascii_address(std::string_view address) {
  constexpr std::size_t longest = 600;
  if (!smtp::is_utf8(address)) return printable(address, longest);
  std::string ascii;
  while (!address.empty() && ascii.size() < longest) {
    const auto character = take_character(address);
    if (character > 127) {
      ascii += "\\x{" + hexadecimal(character) + '}';
    } else {
      ascii += character < ' ' || character == 127 ? '?' : static_cast<char>(character);
    }
  }
  return ascii;
}

std::string canonical_lines(std::string_view text) {
  std::string lines;
  lines.reserve(text.size() + 2);
  while (!text.empty()) {
    const auto end = text.find('\n');
    auto line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    do {
      auto piece = std::string{line.substr(0, max_text_line)};
      line.remove_prefix(piece.size());
      std::replace_if(
          piece.begin(), piece.end(), [](char c) { return c == '\0' || c == '\r'; }, '?');
      lines += piece;
      lines += "\r\n";
    } while (!line.empty());
  }
  return lines;
}

std::string quoted_printable(std::string_view text) {
  std::string quoted;
  std::size_t column = 0;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text.substr(at, 2) == "\r\n") {
      quoted += "\r\n";
      column = 0;
      ++at;
      continue;
    }
    const char c = text[at];
    const bool line_ends = at + 1 == text.size() || text[at + 1] == '\r';
    const bool plain = (c > ' ' && c <= '~' && c != '=') || ((c == ' ' || c == '\t') && !line_ends);
    const auto word = plain ? std::string(1, c) : '=' + hexadecimal(static_cast<std::uint8_t>(c));
    if (column + word.size() > max_quoted_line) {
      quoted += "=\r\n";
      column = 0;
    }
    quoted += word;
    column += word.size();
  }
  return quoted;
}

}  // namespace relay::notification
