#include "relay/net/network.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <string>

namespace relay {
namespace {

using boost::asio::ip::address;

std::vector<std::uint8_t> bytes_of(const address& value) {
  if (value.is_v4()) {
    const auto bytes = value.to_v4().to_bytes();
    return {bytes.begin(), bytes.end()};
  }
  const auto bytes = value.to_v6().to_bytes();
  return {bytes.begin(), bytes.end()};
}

template <class Number>
std::optional<Number> number_from(std::string_view text) {
  Number number{};
  const auto* end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, number);
  if (text.empty() || parsed.ec != std::errc{} || parsed.ptr != end) return std::nullopt;
  return number;
}

std::optional<address> address_from(std::string_view text) {
  boost::system::error_code error;
  const auto parsed = boost::asio::ip::make_address(std::string{text}, error);
  if (error) return std::nullopt;
  return parsed;
}

}  // namespace

bool Network::contains(const address& candidate) const {
  const bool mapped = candidate.is_v6() && candidate.to_v6().is_v4_mapped();
  const address plain =
      mapped ? address{make_address_v4(boost::asio::ip::v4_mapped, candidate.to_v6())} : candidate;
  if (plain.is_v4() != address_.is_v4()) return false;
  const auto wanted = bytes_of(address_);
  const auto given = bytes_of(plain);
  for (unsigned bit = 0; bit < prefix_; ++bit) {
    const auto mask = static_cast<std::uint8_t>(0x80U >> (bit % 8));
    if ((wanted[bit / 8] & mask) != (given[bit / 8] & mask)) return false;
  }
  return true;
}

std::optional<Network> network_from(std::string_view text) {
  const auto slash = text.find('/');
  const auto parsed = address_from(text.substr(0, slash));
  if (!parsed) return std::nullopt;
  const auto bytes = bytes_of(*parsed);
  const unsigned bits = static_cast<unsigned>(bytes.size()) * 8;
  unsigned prefix = bits;
  if (slash != std::string_view::npos) {
    const auto given = number_from<unsigned>(text.substr(slash + 1));
    if (!given || *given > bits) return std::nullopt;
    prefix = *given;
  }
  for (unsigned bit = prefix; bit < bits; ++bit) {
    if ((bytes[bit / 8] & (0x80U >> (bit % 8))) != 0) return std::nullopt;
  }
  Network network;
  network.address_ = *parsed;
  network.prefix_ = prefix;
  return network;
}

bool any_contains(const std::vector<Network>& networks, const address& candidate) {
  return std::any_of(networks.begin(), networks.end(),
                     [&](const Network& network) { return network.contains(candidate); });
}

std::optional<ListenAddress> listen_address_from(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  auto host = text.substr(0, colon);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != std::string_view::npos) {
    return std::nullopt;  // an IPv6 address without brackets cannot be told from its port
  }
  const auto parsed = address_from(host);
  const auto port = number_from<std::uint16_t>(text.substr(colon + 1));
  if (!parsed || !port) return std::nullopt;
  return ListenAddress{*parsed, *port};
}

}  // namespace relay
