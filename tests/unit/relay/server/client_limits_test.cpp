#include "relay/server/client_limits.hpp"

#include <catch2/catch.hpp>

using namespace std::chrono_literals;
using boost::asio::ip::make_address;
using relay::ClientLimits;
using Kind = ClientLimits::Kind;

namespace {

const auto one = make_address("192.0.2.1");
const auto other = make_address("192.0.2.2");
const ClientLimits::Time start{1000h};

}  // namespace

TEST_CASE("a client has so many connections at the same time and no more") {
  ClientLimits limits;
  CHECK(limits.open(one, 2));
  CHECK(limits.open(one, 2));
  CHECK_FALSE(limits.open(one, 2));
  CHECK(limits.open(other, 2));
  limits.close(one);
  CHECK(limits.open(one, 2));
  CHECK(limits.open(one, 0));
}

TEST_CASE("an IPv6 /64 is one client, an IPv4 address in IPv6 is the IPv4 client") {
  ClientLimits limits;
  CHECK(limits.open(make_address("2001:db8:0:1::1"), 1));
  CHECK_FALSE(limits.open(make_address("2001:db8:0:1:ffff::2"), 1));
  CHECK(limits.open(make_address("2001:db8:0:2::1"), 1));
  CHECK(limits.open(one, 1));
  CHECK_FALSE(limits.open(make_address("::ffff:192.0.2.1"), 1));
}

TEST_CASE("a minute's worth of messages may come at once and comes back over a minute") {
  ClientLimits limits;
  for (int i = 0; i < 60; ++i)
    CHECK(limits.take(one, Kind::message, 60, start));
  CHECK_FALSE(limits.take(one, Kind::message, 60, start));
  CHECK(limits.take(one, Kind::recipient, 60, start));
  CHECK(limits.take(other, Kind::message, 60, start));
  CHECK_FALSE(limits.take(one, Kind::message, 60, start + 900ms));
  CHECK(limits.take(one, Kind::message, 60, start + 1900ms));
  CHECK_FALSE(limits.take(one, Kind::message, 60, start + 1900ms));
  for (int i = 0; i < 60; ++i)
    CHECK(limits.take(one, Kind::message, 60, start + 2min));
  CHECK(limits.take(one, Kind::message, 0, start + 2min));
}

TEST_CASE("failed authentications block a client until they fade") {
  ClientLimits limits;
  for (int i = 0; i < 5; ++i) {
    CHECK(limits.auth_allowed(one, 5, start));
    limits.auth_failed(one, start);
  }
  CHECK_FALSE(limits.auth_allowed(one, 5, start));
  CHECK(limits.auth_allowed(other, 5, start));
  CHECK_FALSE(limits.auth_allowed(one, 5, start + 1min));
  CHECK(limits.auth_allowed(one, 5, start + 150s));
  CHECK(limits.auth_allowed(one, 0, start));
}

TEST_CASE("clients that are gone are forgotten, and memory is bounded") {
  ClientLimits limits{2000};
  limits.open(one, 1);
  for (std::uint32_t i = 0; i < 10'000; ++i)
    limits.take(boost::asio::ip::address_v4{0x0A000000U + i}, Kind::message, 10, start);
  CHECK(limits.clients() <= 2001);
  CHECK_FALSE(limits.open(one, 1));
}
