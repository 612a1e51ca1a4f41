#include "relay/net/network.hpp"

#include <catch2/catch.hpp>

using boost::asio::ip::make_address;
using relay::listen_address_from;
using relay::network_from;

TEST_CASE("a network holds the addresses that share its prefix") {
  const auto network = network_from("192.0.2.128/25");
  REQUIRE(network);
  CHECK(network->contains(make_address("192.0.2.129")));
  CHECK_FALSE(network->contains(make_address("192.0.2.127")));
  CHECK_FALSE(network->contains(make_address("2001:db8::1")));
}

TEST_CASE("an IPv4 network holds its members when they come as IPv4-mapped IPv6") {
  CHECK(network_from("127.0.0.0/8")->contains(make_address("::ffff:127.0.0.1")));
  CHECK_FALSE(network_from("127.0.0.0/8")->contains(make_address("::ffff:192.0.2.1")));
}

TEST_CASE("an address alone is a network of one, and /0 holds all of its family") {
  CHECK(network_from("::1")->contains(make_address("::1")));
  CHECK_FALSE(network_from("::1")->contains(make_address("::2")));
  CHECK(network_from("0.0.0.0/0")->contains(make_address("203.0.113.9")));
}

TEST_CASE("what is not a network is refused") {
  const char* text =
      GENERATE("", "localhost", "192.0.2.1/33", "192.0.2.1/24", "192.0.2.0/", "192.0.2.0/x", "::/129");
  CAPTURE(text);
  CHECK_FALSE(network_from(text));
}

TEST_CASE("an address to listen on names its port, and IPv6 its brackets") {
  CHECK(listen_address_from("0.0.0.0:25")->port == 25);
  CHECK(listen_address_from("[::1]:8025")->address.is_loopback());
  const char* text =
      GENERATE("", "25", ":25", "0.0.0.0", "0.0.0.0:", "0.0.0.0:65536", "::1:25", "[::1]", "localhost:25");
  CAPTURE(text);
  CHECK_FALSE(listen_address_from(text));
}
