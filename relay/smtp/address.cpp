#include "relay/smtp/address.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <cstdint>

#include "relay/smtp/text.hpp"

namespace relay::smtp {
namespace {

constexpr std::size_t max_local_part = 64;
constexpr std::size_t max_domain = 255;
constexpr std::size_t max_label = 63;
constexpr std::size_t max_path = 256;  // with its brackets

bool is_alphanumeric(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         static_cast<std::uint8_t>(c) > 127;
}

bool is_atom_text(char c) {
  return is_alphanumeric(c) || std::string_view{"!#$%&'*+-/=?^_`{|}~"}.find(c) != std::string_view::npos;
}

/// Octets of the quoted string at the front of `text`, or 0.
std::size_t quoted_string(std::string_view text) {
  if (text.empty() || text.front() != '"') return 0;
  for (std::size_t at = 1; at < text.size(); ++at) {
    if (text[at] == '"') return at + 1;
    if (text[at] == '\\') ++at;
    if (at >= text.size()) return 0;
    const auto byte = static_cast<std::uint8_t>(text[at]);
    if (byte < 32 || byte == 127) return 0;
  }
  return 0;
}

/// Octets of the dot-string at the front of `text`, or 0.
std::size_t dot_string(std::string_view text) {
  std::size_t at = 0;
  bool atom = false;
  for (; at < text.size(); ++at) {
    if (text[at] == '.') {
      if (!atom) return 0;
      atom = false;
    } else if (is_atom_text(text[at])) {
      atom = true;
    } else {
      break;
    }
  }
  return atom ? at : 0;
}

std::size_t local_part(std::string_view text) {
  const auto size = !text.empty() && text.front() == '"' ? quoted_string(text) : dot_string(text);
  return size <= max_local_part ? size : 0;
}

bool is_label(std::string_view label, bool underscores) {
  if (label.empty() || label.size() > max_label || label.front() == '-' || label.back() == '-') return false;
  return std::all_of(label.begin(), label.end(), [underscores](char c) {
    return is_alphanumeric(c) || c == '-' || (underscores && c == '_');
  });
}

bool is_domain_of(std::string_view text, bool underscores) {
  if (text.empty() || text.size() > max_domain || !is_utf8(text)) return false;
  while (true) {
    const auto dot = text.find('.');
    if (!is_label(text.substr(0, dot), underscores)) return false;
    if (dot == std::string_view::npos) return true;
    text.remove_prefix(dot + 1);
  }
}

/// Takes `@a,@b:` off the front; false when it is malformed (RFC 5321 A-d-l).
bool drop_source_route(std::string_view& text) {
  if (text.empty() || text.front() != '@') return true;
  while (true) {
    if (text.empty() || text.front() != '@') return false;
    text.remove_prefix(1);
    std::size_t end = 0;
    if (!text.empty() && text.front() == '[') {
      const auto closing = text.find(']');
      if (closing == std::string_view::npos) return false;
      end = closing + 1;
    } else {
      end = text.find_first_of(",:");
    }
    if (end >= text.size()) return false;
    const auto domain = text.substr(0, end);
    if (!is_domain(domain) && !is_address_literal(domain)) return false;
    const char separator = text[end];
    text.remove_prefix(end + 1);
    if (separator == ':') return true;
    if (separator != ',') return false;
  }
}

/// The bracketed part at the front of `text`, without brackets: a closing bracket within a quoted string does
/// not close.
std::optional<std::string_view> bracketed(std::string_view text) {
  if (text.empty() || text.front() != '<') return std::nullopt;
  bool quoted = false;
  for (std::size_t at = 1; at < text.size(); ++at) {
    if (quoted && text[at] == '\\') {
      ++at;
    } else if (text[at] == '"') {
      quoted = !quoted;
    } else if (text[at] == '>' && !quoted) {
      return text.substr(1, at - 1);
    }
  }
  return std::nullopt;
}

enum class WithoutDomain : std::uint8_t { null_sender, postmaster };

std::optional<Path> parse_path(std::string_view text, WithoutDomain allowed) {
  const auto inside = bracketed(text);
  if (!inside) return std::nullopt;
  const auto rest = text.substr(inside->size() + 2);
  if (inside->empty() && allowed == WithoutDomain::null_sender) return Path{std::string{}, rest};
  auto mailbox = *inside;
  if (!drop_source_route(mailbox) || mailbox.size() + 2 > max_path) return std::nullopt;
  const bool postmaster = allowed == WithoutDomain::postmaster && same_word(mailbox, "postmaster");
  if (!postmaster && !is_mailbox(mailbox)) return std::nullopt;
  return Path{std::string{mailbox}, rest};
}

}  // namespace

std::optional<Path> parse_reverse_path(std::string_view text) {
  return parse_path(text, WithoutDomain::null_sender);
}

std::optional<Path> parse_forward_path(std::string_view text) {
  return parse_path(text, WithoutDomain::postmaster);
}

bool is_mailbox(std::string_view text) {
  const auto local = local_part(text);
  if (local == 0 || local >= text.size() || text[local] != '@' || !is_utf8(text)) return false;
  const auto domain = text.substr(local + 1);
  return is_domain(domain) || is_address_literal(domain);
}

bool is_domain(std::string_view text) {
  return is_domain_of(text, false);
}

bool is_address_literal(std::string_view text) {
  constexpr std::string_view ipv6_tag = "IPv6:";
  if (text.size() < 3 || text.size() > max_label || text.front() != '[' || text.back() != ']') return false;
  auto inside = text.substr(1, text.size() - 2);
  if (inside.find('\0') != std::string_view::npos) return false;
  const bool ipv6 = same_word(inside.substr(0, ipv6_tag.size()), ipv6_tag);
  if (ipv6) inside.remove_prefix(ipv6_tag.size());
  std::array<unsigned char, sizeof(in6_addr)> address{};
  return inet_pton(ipv6 ? AF_INET6 : AF_INET, std::string{inside}.c_str(), address.data()) == 1;
}

bool is_client_name(std::string_view text) {
  return !has_non_ascii(text) && (is_domain_of(text, true) || is_address_literal(text));
}

}  // namespace relay::smtp
