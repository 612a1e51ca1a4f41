#include "relay/directory/ldap/server_url.hpp"

#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>
#include <string>

namespace relay::ldap {

std::optional<ServerUrl> server_url_from(std::string_view text) {
  const auto parsed = boost::urls::parse_uri({text.data(), text.size()});
  if (!parsed) return std::nullopt;
  const auto& url = *parsed;
  const std::string scheme{url.scheme()};
  if (scheme != "ldap" && scheme != "ldaps") return std::nullopt;
  if (!url.has_authority() || url.has_userinfo() || url.has_query() || url.has_fragment())
    return std::nullopt;
  const std::string path{url.encoded_path()};
  std::string host{url.encoded_host()};
  if ((!path.empty() && path != "/") || host.empty()) return std::nullopt;
  if (url.has_port() && url.port_number() == 0) return std::nullopt;
  if (host.front() == '[') host = host.substr(1, host.size() - 2);
  ServerUrl server;
  server.tls = scheme == "ldaps";
  server.loopback = host == "localhost" || host == "::1" || host.rfind("127.", 0) == 0;
  server.port = url.has_port() ? std::string{url.port()} : server.tls ? "636" : "389";
  server.host = std::move(host);
  return server;
}

}  // namespace relay::ldap
