#include "relay/queue/hold.hpp"

#include <catch2/catch.hpp>

using namespace std::chrono_literals;
using dumpster::Instant;
using relay::held_until;

namespace {

const Instant start{1000s};

dumpster::SpoolEntry in_doubt_since(Instant instant) {
  dumpster::SpoolEntry entry;
  entry.in_doubt = true;
  entry.in_doubt_since = instant;
  return entry;
}

relay::HoldConditions with_agent() {
  relay::HoldConditions conditions;
  conditions.in_doubt_wait = 60s;
  conditions.has_agent = true;
  return conditions;
}

}  // namespace

TEST_CASE("what is not in doubt is not held") {
  CHECK_FALSE(held_until({}, with_agent()));
}

TEST_CASE("nothing is held for a cluster whose active node never had an agent") {
  auto conditions = with_agent();
  conditions.has_agent = false;
  CHECK_FALSE(held_until(in_doubt_since(start), conditions));
}

TEST_CASE("what comes from a backup is held for a cluster without an agent, too") {
  auto conditions = with_agent();
  conditions.has_agent = false;
  conditions.hub_started = start + 5s;
  auto entry = in_doubt_since(start);
  entry.from_backup = true;
  CHECK(held_until(entry, conditions) == start + 65s);
}

TEST_CASE("the hold is counted from the latest of attempt, start, activation and reachability") {
  auto conditions = with_agent();
  CHECK(held_until(in_doubt_since(start), conditions) == start + 60s);
  conditions.hub_started = start + 1s;
  CHECK(held_until(in_doubt_since(start), conditions) == start + 61s);
  conditions.activated_at = start + 2s;
  CHECK(held_until(in_doubt_since(start), conditions) == start + 62s);
  conditions.reachable_since = start + 3s;
  CHECK(held_until(in_doubt_since(start), conditions) == start + 63s);
  CHECK(held_until(in_doubt_since(start + 4s), conditions) == start + 64s);
}

TEST_CASE("the hold does not end while the agent is in touch") {
  auto conditions = with_agent();
  conditions.agent_seen = start + 30min;
  CHECK(held_until(in_doubt_since(start), conditions) == start + 30min + 60s);
}
