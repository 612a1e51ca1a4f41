#pragma once

#include <boost/asio/ip/address.hpp>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace relay {

/// A range of addresses written `192.0.2.0/24` or `2001:db8::/32`. An IPv4 range also holds the IPv4-mapped
/// IPv6 addresses of its members.
class Network {
 public:
  bool contains(const boost::asio::ip::address& address) const;
  bool operator==(const Network&) const = default;

  friend std::optional<Network> network_from(std::string_view text);

 private:
  boost::asio::ip::address address_;
  unsigned prefix_ = 0;
};

/// Nothing for text that is not an address with an optional prefix length, or has bits set behind the prefix.
std::optional<Network> network_from(std::string_view text);

bool any_contains(const std::vector<Network>& networks, const boost::asio::ip::address& address);

/// An address to listen on, `192.0.2.1:25` or `[::1]:25`.
struct ListenAddress {
  boost::asio::ip::address address;
  std::uint16_t port = 0;

  bool operator==(const ListenAddress&) const = default;
};

std::optional<ListenAddress> listen_address_from(std::string_view text);

}  // namespace relay
