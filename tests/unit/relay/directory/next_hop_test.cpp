#include <catch2/catch.hpp>

#include "relay/directory/next_hop.hpp"

using relay::next_hop_from;
using relay::NextHop;

TEST_CASE("a next hop is read with its default port, and TLS where it is offered") {
  const auto lmtp = next_hop_from("lmtp://192.0.2.11");
  REQUIRE(lmtp);
  CHECK(*lmtp == NextHop{NextHop::Protocol::lmtp, "192.0.2.11", 24, NextHop::Tls::opportunistic});
  const auto smtp = next_hop_from("SMTP://Smart.Example.TEST");
  REQUIRE(smtp);
  CHECK(*smtp == NextHop{NextHop::Protocol::smtp, "smart.example.test", 25, NextHop::Tls::opportunistic});
}

TEST_CASE("a next hop survives the way through its text form") {
  for (const char* text : {"lmtp://192.0.2.11:24", "smtp://smart.example.test:587?tls=starttls",
                           "lmtp://[2001:db8::1]:2424?tls=implicit", "smtp://mx.test:25?tls=none"}) {
    const auto hop = next_hop_from(text);
    REQUIRE(hop);
    CHECK(to_string(*hop) == text);
  }
}

TEST_CASE("what is not a next hop is refused") {
  const char* text = GENERATE("", "lmtp", "lmtp:", "lmtp://", "lmtp:host", "http://host", "lmtp://user@host",
                              "lmtp://host/", "lmtp://host/path", "lmtp://host#part", "lmtp://host:0",
                              "lmtp://host:65536", "lmtp://host:port", "lmtp://host?tls=maybe",
                              "lmtp://host?tls=none&tls=none", "lmtp://host?x=1", "lmtp://ho%20st",
                              "lmtp://[v1.x]", "lmtp://-host", "lmtp://a..b", " lmtp://host", "lmtp://host ");
  CAPTURE(text);
  CHECK_FALSE(next_hop_from(text));
}
