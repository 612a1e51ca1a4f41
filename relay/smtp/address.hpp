#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace relay::smtp {

/// A path as it stands in MAIL or RCPT (RFC 5321 4.1.2), brackets and source route taken off.
struct Path {
  std::string address;    ///< empty: the null reverse-path
  std::string_view rest;  ///< what follows the closing bracket
};

/// `<>`, `<local@domain>`, `<@a,@b:local@domain>` (the source route is checked and dropped). UTF-8 is let
/// through (RFC 6531 3.3); the caller checks SMTPUTF8. Limits: local part 64, domain 255, path 256 octets
/// (RFC 5321 4.5.3.1). Nothing for anything else.
std::optional<Path> parse_reverse_path(std::string_view text);

/// As above, without `<>`; `<postmaster>` needs no domain (RFC 5321 4.5.1).
std::optional<Path> parse_forward_path(std::string_view text);

/// `local@domain` without brackets: dot-string or quoted string, domain or address literal.
bool is_mailbox(std::string_view text);

/// RFC 5321 4.1.2 Domain (labels of letters, digits, inner hyphens; UTF-8 as RFC 6531 allows), at most 255
/// octets.
bool is_domain(std::string_view text);

/// `[192.0.2.1]` or `[IPv6:2001:db8::1]`; other tags are refused, none is registered.
bool is_address_literal(std::string_view text);

/// What HELO, EHLO and LHLO take: a domain (underscores pass, many hosts have them) or an address literal;
/// ASCII alone (RFC 6531 3.7.1).
bool is_client_name(std::string_view text);

}  // namespace relay::smtp
