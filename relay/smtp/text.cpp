#include "relay/smtp/text.hpp"

#include <algorithm>
#include <cstdint>

namespace relay::smtp {
namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

/// The six bits of a character of RFC 4648's alphabet, or -1.
int base64_bits(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  if (c == '+') return 62;
  return c == '/' ? 63 : -1;
}

/// Bytes behind the lead byte, or -1; `low` and `high` bound the first of them.
int continuation_bytes(std::uint8_t lead, std::uint8_t& low, std::uint8_t& high) {
  low = 0x80;
  high = 0xBF;
  if (lead < 0x80) return 0;
  if (lead >= 0xC2 && lead <= 0xDF) return 1;
  if (lead >= 0xE0 && lead <= 0xEF) {
    if (lead == 0xE0) low = 0xA0;
    if (lead == 0xED) high = 0x9F;
    return 2;
  }
  if (lead >= 0xF0 && lead <= 0xF4) {
    if (lead == 0xF0) low = 0x90;
    if (lead == 0xF4) high = 0x8F;
    return 3;
  }
  return -1;
}

/// Octets of the character at the front of `text`, which is not empty; 0 when there is no well-formed one.
std::size_t character_octets(std::string_view text) {
  std::uint8_t low = 0;
  std::uint8_t high = 0;
  const int more = continuation_bytes(static_cast<std::uint8_t>(text.front()), low, high);
  if (more < 0 || text.size() <= static_cast<std::size_t>(more)) return 0;
  for (int i = 1; i <= more; ++i) {
    const auto byte = static_cast<std::uint8_t>(text[static_cast<std::size_t>(i)]);
    if (byte < low || byte > high) return 0;
    low = 0x80;
    high = 0xBF;
  }
  return static_cast<std::size_t>(more) + 1;
}

}  // namespace

bool is_xtext(std::string_view text) {
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    if (c == '+') {
      if (at + 2 >= text.size() || hex_digit(text[at + 1]) < 0 || hex_digit(text[at + 2]) < 0) return false;
      at += 2;
    } else if (c < '!' || c > '~' || c == '=') {
      return false;
    }
  }
  return true;
}

std::string xtext_decode(std::string_view text) {
  std::string plain;
  plain.reserve(text.size());
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '+' && at + 2 < text.size()) {
      plain.push_back(static_cast<char>(hex_digit(text[at + 1]) * 16 + hex_digit(text[at + 2])));
      at += 2;
    } else {
      plain.push_back(text[at]);
    }
  }
  return plain;
}

std::optional<std::string> base64_decode(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  std::size_t padding = 0;
  while (padding < 2 && padding < text.size() && text[text.size() - 1 - padding] == '=')
    ++padding;
  std::string plain;
  std::uint32_t bits = 0;
  unsigned held = 0;
  for (const char c : text.substr(0, text.size() - padding)) {
    const int six = base64_bits(c);
    if (six < 0) return std::nullopt;
    bits = (bits << 6U | static_cast<std::uint32_t>(six)) & 0xFFFFU;
    held += 6;
    if (held < 8) continue;
    held -= 8;
    plain.push_back(static_cast<char>(bits >> held & 0xFFU));
  }
  // Bits that belong to no byte are zero, or the same bytes could be written in several ways.
  if ((bits & ((1U << held) - 1U)) != 0) return std::nullopt;
  return plain;
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const auto octets = character_octets(text);
    if (octets == 0) return false;
    text.remove_prefix(octets);
  }
  return true;
}

std::string clean_utf8(std::string_view text, std::size_t limit) {
  constexpr std::string_view cut = "...";
  std::string clean;
  clean.reserve(std::min(text.size(), limit + cut.size()));
  while (!text.empty()) {
    const auto octets = character_octets(text);
    if (clean.size() + std::max<std::size_t>(octets, 1) > limit) return clean += cut;
    const bool control =
        octets == 1 && ((text[0] >= 0 && text[0] < ' ' && text[0] != '\n') || text[0] == 127);
    if (octets == 0 || control) {
      clean += '?';
    } else {
      clean += text.substr(0, octets);
    }
    text.remove_prefix(std::max<std::size_t>(octets, 1));
  }
  return clean;
}

bool has_non_ascii(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) { return static_cast<std::uint8_t>(c) > 127; });
}

bool same_word(std::string_view one, std::string_view other) {
  return std::equal(one.begin(), one.end(), other.begin(), other.end(),
                    [](char a, char b) { return lower(a) == lower(b); });
}

}  // namespace relay::smtp
