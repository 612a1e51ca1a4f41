#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace relay {

/// A place mail is delivered to, written `lmtp://host:port` or `smtp://host:port`.
struct NextHop {
  enum class Protocol : std::uint8_t { smtp, lmtp };
  enum class Tls : std::uint8_t {
    opportunistic,  ///< nothing said: STARTTLS where it is offered and works (RFC 7435)
    none,
    starttls,  ///< or no mail
    implicit,  ///< from the first byte
  };

  Protocol protocol = Protocol::smtp;
  std::string host;  ///< a name or an address; IPv6 without brackets
  std::uint16_t port = 25;
  Tls tls = Tls::opportunistic;

  auto operator<=>(const NextHop&) const = default;
};

/// `lmtp://192.0.2.11:24?tls=starttls`, or `none`, or `implicit`; ports default to 25 and 24. Nothing for
/// anything else: another scheme, user information, a path, an unknown parameter.
std::optional<NextHop> next_hop_from(std::string_view text);

/// The text form, without the default parameters: the name of the route in metrics and logs.
std::string to_string(const NextHop& hop);

}  // namespace relay
