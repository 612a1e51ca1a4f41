#include "recovery/agent/coverage.hpp"

#include <catch2/catch.hpp>

#include "lines.hpp"

using namespace recovery::agent;
using namespace recovery::agent::test;

namespace {

HubIdentity identity(const std::string& store, std::uint64_t sequence) {
  HubIdentity made;
  made.store_id = store;
  made.sequence = sequence;
  made.store_created = at(500);
  made.now = at(1000);
  return made;
}

ListingEnd end(Instant covered_from, bool complete) {
  ListingEnd made;
  made.covered_from = covered_from;
  made.complete = complete;
  made.store_created = at(500);
  return made;
}

}  // namespace

TEST_CASE("what lies before the creation of a hub's first store is covered: it delivered nothing then") {
  const KnownHub hub = met(nullptr, identity("a", 7));
  CHECK(gap_in_coverage(end(at(500), false), at(100), hub).empty());
  const KnownHub again = met(&hub, identity("a", 8));
  CHECK(gap_in_coverage(end(at(500), false), at(100), again).empty());
}

TEST_CASE("what retention has removed from the window is a gap") {
  const KnownHub hub = met(nullptr, identity("a", 7));
  CHECK_FALSE(gap_in_coverage(end(at(600), false), at(550), hub).empty());
  CHECK(gap_in_coverage(end(at(600), true), at(700), hub).empty());
}

TEST_CASE("a known hub with another store has lost what lies before its creation, and that stays known") {
  const KnownHub before = met(nullptr, identity("a", 7));
  const KnownHub hub = met(&before, identity("b", 1));
  CHECK_FALSE(gap_in_coverage(end(at(500), false), at(100), hub).empty());
  CHECK(gap_in_coverage(end(at(500), true), at(600), hub).empty());
  const KnownHub later = met(&hub, identity("b", 5));
  CHECK_FALSE(gap_in_coverage(end(at(500), false), at(100), later).empty());
}

TEST_CASE("a known hub whose sequence fell has lost what lies before now") {
  const KnownHub before = met(nullptr, identity("a", 7));
  const KnownHub hub = met(&before, identity("a", 6));
  CHECK(hub.lost_before == at(1000));
  CHECK_FALSE(gap_in_coverage(end(at(500), true), at(900), hub).empty());
}
