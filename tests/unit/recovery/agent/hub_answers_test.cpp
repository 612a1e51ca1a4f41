#include "recovery/agent/hub_answers.hpp"

#include <catch2/catch.hpp>

#include "lines.hpp"

using namespace recovery::agent;
using namespace recovery::agent::test;

namespace {

const std::string good_line =
    R"({"delivery_id":"0192f5c4-7d1e-7a30-9f6b-3f1c2b7a9d10","message_id":"a@b","size":3,)"
    R"("delivered_at":"2026-01-31T12:00:00.000001Z","node":"node1","term":2,"attempt":3,"state":"in_doubt",)"
    R"("recipients":[{"address":"a@b","mailbox":"a"}]})";

std::string with(std::string text, const std::string& what, const std::string& other) {
  const std::size_t place = text.find(what);
  REQUIRE(place != std::string::npos);
  return text.replace(place, what.size(), other);
}

bool is_malformed(const std::string& text) {
  const auto read = listing_line_from(text);
  return !read && read.error().kind == HubError::Kind::malformed;
}

}  // namespace

TEST_CASE("a line of a listing is a delivery or the end") {
  const auto read = listing_line_from(good_line);
  REQUIRE(read.has_value());
  const auto& delivery = std::get<ListedDelivery>(*read);
  CHECK(delivery.attempt == 3);
  CHECK(delivery.state == dumpster::DeliveryState::in_doubt);
  CHECK(delivery.recipients[0].mailbox == "a");
  const auto end = listing_line_from(
      R"({"covered_from":"2026-01-31T12:00:00Z","complete":true,"store_id":"s","store_created":"2026-01-31T12:00:00Z",)"
      R"("now":"2026-01-31T12:00:01Z","count":4})");
  REQUIRE(end.has_value());
  CHECK(std::get<ListingEnd>(*end).count == 4);
}

TEST_CASE("a line that is not what the contract says is malformed") {
  CHECK(is_malformed(""));
  CHECK(is_malformed("[]"));
  CHECK(is_malformed(good_line.substr(0, good_line.size() - 1)));
  CHECK(is_malformed(with(good_line, "\"attempt\":3,", "")));
  CHECK(is_malformed(with(good_line, "\"attempt\":3", "\"attempt\":\"3\"")));
  CHECK(is_malformed(with(good_line, "\"term\":2", "\"term\":-2")));
  CHECK(is_malformed(with(good_line, "\"term\":2", "\"term\":2.5")));
  CHECK(is_malformed(with(good_line, "in_doubt", "maybe")));
  CHECK(is_malformed(with(good_line, "2026-01-31T12", "2026-13-31T12")));
  CHECK(is_malformed(with(good_line, "9d10", "9d1")));
  CHECK(is_malformed(with(good_line, R"({"address":"a@b","mailbox":"a"})", "")));
  CHECK(is_malformed(with(good_line, R"("mailbox":"a")", R"("mailbox":null)")));
}

TEST_CASE("an unknown field is passed over: a newer hub may say more") {
  CHECK(listing_line_from(with(good_line, "\"size\":3", "\"size\":3,\"new\":[1]")).has_value());
}

TEST_CASE("a refusal tells its problem detail and, of a 409, how the cluster stands") {
  const HubError error =
      refusal_from(409, R"({"title":"Conflict","detail":"term","active":"node1","term":7})");
  CHECK(error.kind == HubError::Kind::refused);
  CHECK(error.status == 409);
  CHECK(error.detail == "the hub answered 409: Conflict: term");
  CHECK(error.active == "node1");
  CHECK(error.term == 7U);
}

TEST_CASE(
    "a refusal without a problem detail is one; a hub that is overloaded or behind a dead proxy is out of "
    "reach") {
  CHECK(refusal_from(403, "<html>").kind == HubError::Kind::refused);
  CHECK(refusal_from(500, "").kind == HubError::Kind::refused);
  CHECK(refusal_from(503, "").kind == HubError::Kind::unreachable);
  CHECK(refusal_from(429, "").kind == HubError::Kind::unreachable);
}

TEST_CASE("a cluster without nodes is malformed") {
  CHECK_FALSE(cluster_from(R"({"nodes":[],"active":"a","term":0,"storage_groups":[]})").has_value());
  CHECK(
      cluster_from(R"({"nodes":["a"],"active":"a","term":0,"storage_groups":[{"name":"sg1"}]})").has_value());
}

TEST_CASE("a storage group may say how far back it covers and how long it keeps deliveries") {
  const std::string cluster =
      R"({"nodes":["node1"],"active":"node1","term":0,"storage_groups":[{"name":"sg1","in_doubt":0}]})";
  const auto silent = cluster_from(cluster);
  REQUIRE(silent.has_value());
  CHECK_FALSE(silent->groups[0].covered_from);
  CHECK_FALSE(silent->groups[0].max_time);
  const std::string more = R"("covered_from":"2026-01-31T12:00:00Z","max_seconds":6.048E5)";
  const auto read = cluster_from(with(cluster, R"("in_doubt":0)", more));
  REQUIRE(read.has_value());
  CHECK(read->groups[0].covered_from == dumpster::from_rfc3339("2026-01-31T12:00:00Z"));
  CHECK(read->groups[0].max_time == std::chrono::hours{24 * 7});
  for (const char* wrong : {"-1", "1e12", "\"7d\""}) {
    const auto refused =
        cluster_from(with(cluster, R"("in_doubt":0)", R"("max_seconds":)" + std::string{wrong}));
    CHECK_FALSE(refused.has_value());
  }
}
