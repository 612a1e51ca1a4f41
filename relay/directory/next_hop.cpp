#include "relay/directory/next_hop.hpp"

#include <algorithm>
#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>

namespace relay {
namespace {

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

std::string lower(std::string_view text) {
  std::string result{text};
  std::transform(result.begin(), result.end(), result.begin(), [](char c) { return lower(c); });
  return result;
}

/// RFC 1123 2.1, with the underscore that names of services inside a site do carry.
bool is_host_name(std::string_view text) {
  if (text.empty() || text.size() > 253 || text.front() == '-' || text.front() == '.') return false;
  if (text.find("..") != std::string_view::npos) return false;
  return std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
  });
}

std::optional<std::string> host_of(const boost::urls::url_view& url) {
  switch (url.host_type()) {
    case boost::urls::host_type::ipv4:
      return std::string{url.encoded_host()};
    case boost::urls::host_type::ipv6:
      return lower(std::string{url.host_ipv6_address().to_string()});
    case boost::urls::host_type::name: {
      auto name = lower(std::string{url.encoded_host()});
      if (is_host_name(name)) return name;
      return std::nullopt;
    }
    default:
      return std::nullopt;
  }
}

/// Reads the query: nothing, or `tls` once with a known value.
bool read_parameters(const boost::urls::url_view& url, NextHop& hop) {
  if (!url.has_query()) return true;
  const std::string query{url.encoded_query()};
  if (query == "tls=none") {
    hop.tls = NextHop::Tls::none;
  } else if (query == "tls=starttls") {
    hop.tls = NextHop::Tls::starttls;
  } else if (query == "tls=implicit") {
    hop.tls = NextHop::Tls::implicit;
  } else {
    return false;
  }
  return true;
}

}  // namespace

std::optional<NextHop> next_hop_from(std::string_view text) {
  const auto parsed = boost::urls::parse_uri({text.data(), text.size()});
  if (!parsed) return std::nullopt;
  const auto& url = *parsed;
  NextHop hop;
  const auto scheme = lower(std::string{url.scheme()});
  if (scheme == "lmtp") {
    hop.protocol = NextHop::Protocol::lmtp;
    hop.port = 24;
  } else if (scheme != "smtp") {
    return std::nullopt;
  }
  if (!url.has_authority() || url.has_userinfo() || url.has_fragment()) return std::nullopt;
  if (!url.encoded_path().empty()) return std::nullopt;
  auto host = host_of(url);
  if (!host) return std::nullopt;
  hop.host = std::move(*host);
  if (url.has_port()) {
    if (url.port_number() == 0) return std::nullopt;  // also what does not fit into 16 bits
    hop.port = url.port_number();
  }
  if (!read_parameters(url, hop)) return std::nullopt;
  return hop;
}

std::string to_string(const NextHop& hop) {
  std::string text{hop.protocol == NextHop::Protocol::lmtp ? "lmtp://" : "smtp://"};
  const bool ipv6 = hop.host.find(':') != std::string::npos;
  if (ipv6) text += '[';
  text += hop.host;
  if (ipv6) text += ']';
  text += ':';
  text += std::to_string(hop.port);
  if (hop.tls == NextHop::Tls::none) text += "?tls=none";
  if (hop.tls == NextHop::Tls::starttls) text += "?tls=starttls";
  if (hop.tls == NextHop::Tls::implicit) text += "?tls=implicit";
  return text;
}

}  // namespace relay
