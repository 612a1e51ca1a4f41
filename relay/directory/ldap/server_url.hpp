#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace relay::ldap {

/// A server's address.
struct ServerUrl {
  bool tls = false;       ///< ldaps://
  bool loopback = false;  ///< what is said there stays on this machine
  std::string host;       ///< a name or an address; IPv6 without brackets
  std::string port;       ///< 389 or 636 where the URL says none
};

/// `ldap://HOST[:PORT]` or `ldaps://HOST[:PORT]`. Nothing for anything else: base, filter and the like have
/// settings of their own.
std::optional<ServerUrl> server_url_from(std::string_view text);

}  // namespace relay::ldap
