#include "relay/smtp/received_field.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <cstdint>

#include "relay/smtp/date.hpp"
#include "relay/smtp/text.hpp"

namespace relay::smtp {
namespace {

constexpr std::size_t max_word = 255;
constexpr std::size_t max_recipient = 320;

bool is_word_character(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         std::string_view{"-._:[]/"}.find(c) != std::string_view::npos;
}

/// A domain, a literal, an id: never empty, no blank, no bracket of a comment, no control character.
std::string word(std::string_view text) {
  if (text.empty()) return "unknown";
  std::string safe{text.substr(0, max_word)};
  std::replace_if(
      safe.begin(), safe.end(), [](char c) { return !is_word_character(c); }, '?');
  return safe;
}

/// Several words within a comment.
std::string comment(std::string_view text) {
  std::string safe{text.substr(0, max_word)};
  std::replace_if(
      safe.begin(), safe.end(), [](char c) { return !is_word_character(c) && c != ' ' && c != ','; }, '?');
  return safe;
}

bool is_address(int family, const std::string& text) {
  std::array<unsigned char, sizeof(in6_addr)> address{};
  return inet_pton(family, text.c_str(), address.data()) == 1;
}

/// RFC 5321 4.1.3; empty for what is no address.
std::string address_literal(std::string text) {
  constexpr std::string_view mapped = "::ffff:";
  if (text.find('\0') != std::string::npos) return {};
  text = text.substr(0, text.find('%'));
  if (same_word(text.substr(0, mapped.size()), mapped) && is_address(AF_INET, text.substr(mapped.size()))) {
    text = text.substr(mapped.size());
  }
  if (is_address(AF_INET, text)) return '[' + text + ']';
  if (is_address(AF_INET6, text)) return "[IPv6:" + text + ']';
  return {};
}

bool can_stand(std::string_view recipient, bool utf8) {
  if (recipient.empty() || recipient.size() > max_recipient) return false;
  if (has_non_ascii(recipient) && (!utf8 || !is_utf8(recipient))) return false;
  return std::none_of(recipient.begin(), recipient.end(),
                      [](char c) { return (c >= 0 && c < ' ') || c == 127 || c == '<' || c == '>'; });
}

}  // namespace

std::string received_field(const Reception& reception) {
  const bool utf8 = reception.transmission_type.rfind("UTF8", 0) == 0;
  const auto literal = address_literal(reception.client_address);
  auto field = "Received: from " + word(reception.client_name);
  const auto forwarded = address_literal(reception.forwarded_for);
  if (!literal.empty()) {
    field += "\r\n\t(" + literal + (forwarded.empty() ? std::string{} : " for " + forwarded) + ')';
  }
  field += "\r\n\tby " + word(reception.hub_name) + " with " + word(reception.transmission_type);
  if (!reception.tls.empty()) field += "\r\n\t(" + comment(reception.tls) + ')';
  field += "\r\n\tid " + word(reception.id);
  if (reception.recipient && can_stand(*reception.recipient, utf8)) {
    field += "\r\n\tfor <" + *reception.recipient + '>';
  }
  return field + ";\r\n\t" + to_rfc5322(reception.received_at) + "\r\n";
}

std::string dumpster_id_field(std::string_view hub_name, std::string_view delivery_id) {
  return "X-Dumpster-Id: " + word(hub_name) + '/' + word(delivery_id) + "\r\n";
}

}  // namespace relay::smtp
