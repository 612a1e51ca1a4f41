#include <catch2/catch.hpp>

#include "relay/delivery/next_hop_policy.hpp"

using relay::next_hop_from;
using relay::NextHop;
using relay::NextHopPolicies;
using relay::NextHopPolicy;

TEST_CASE("the first rule for host and port counts, whoever names the next hop") {
  NextHopPolicy strict;
  strict.verified = true;
  NextHopPolicy named;
  named.certificate_name = "node1";
  const NextHopPolicies policies{{}, {{"192.0.2.1", 587, strict}, {"192.0.2.1", std::nullopt, named}}};
  CHECK(policies.of(*next_hop_from("smtp://192.0.2.1:587")).verified);
  CHECK(policies.of(*next_hop_from("lmtp://192.0.2.1:24?tls=none")).certificate_name == "node1");
  CHECK(policies.of(*next_hop_from("smtp://192.0.2.2:587")).certificate_name.empty());
}

TEST_CASE("what must be proved or kept secret never goes without TLS") {
  NextHopPolicy verified;
  verified.verified = true;
  NextHopPolicy authenticated;
  authenticated.credentials = relay::smtp::Credentials{"user", "secret"};
  for (const auto& policy : {verified, authenticated}) {
    CHECK(tls_of(*next_hop_from("smtp://h"), policy) == NextHop::Tls::starttls);
    CHECK(tls_of(*next_hop_from("smtp://h?tls=none"), policy) == NextHop::Tls::starttls);
    CHECK(tls_of(*next_hop_from("smtp://h?tls=implicit"), policy) == NextHop::Tls::implicit);
  }
  CHECK(tls_of(*next_hop_from("smtp://h"), {}) == NextHop::Tls::opportunistic);
  CHECK(tls_of(*next_hop_from("smtp://h?tls=none"), {}) == NextHop::Tls::none);
}

TEST_CASE("with fingerprints only they prove who it is") {
  relay::TlsSession session;
  session.verified = true;
  session.peer_fingerprint = "aa";
  session.peer_key_fingerprint = "bb";
  NextHopPolicy policy;
  CHECK(has_proved_itself(session, policy));
  policy.fingerprints = {"cc"};
  CHECK_FALSE(has_proved_itself(session, policy));
  policy.fingerprints = {"cc", "bb"};
  session.verified = false;
  CHECK(has_proved_itself(session, policy));
}
