#include <catch2/catch.hpp>

#include "recovery/agent/role_change.hpp"
#include "recovery/agent/status_text.hpp"
#include "watching.hpp"

using namespace recovery::agent;
using namespace recovery::agent::test;
using namespace std::chrono_literals;

namespace {

/// Whether a round of `watch` counts as the active node's agent being in touch.
bool is_in_touch(Watching& scene) {
  const std::size_t before = scene.hub().contacts;
  scene.rounds(1);
  return scene.hub().contacts > before;
}

}  // namespace

TEST_CASE("the agent of an active node is in touch with the hubs, from a fresh start on") {
  Watching scene;
  scene.hub().active = "node2";
  CHECK(is_in_touch(scene));
  CHECK_THAT(scene.counted.exposition(), Catch::Contains("agent_standing_aside{cluster=\"ccr1\"} 0"));
}

TEST_CASE("an active node whose mail store is another one is not in touch until a promote, and says so") {
  Watching scene;
  scene.become_active();
  REQUIRE(is_in_touch(scene));
  scene.marker->kept = "another";
  for (int round = 0; round < 3; ++round)
    CHECK_FALSE(is_in_touch(scene));
  CHECK_THAT(scene.counted.exposition(), Catch::Contains("agent_standing_aside{cluster=\"ccr1\"} 1"));
  CHECK_THAT(to_text(status(scene.surroundings)), Catch::Contains("STANDS ASIDE"));
  CHECK(scene.promote().exit_status() == 0);
  CHECK(is_in_touch(scene));
  CHECK_THAT(scene.counted.exposition(), Catch::Contains("agent_standing_aside{cluster=\"ccr1\"} 0"));
  CHECK_THAT(to_text(status(scene.surroundings)), !Catch::Contains("STANDS ASIDE"));
}

TEST_CASE("an active node whose mail store is not mounted is not in touch until it is") {
  Watching scene;
  scene.become_active();
  const auto marker = scene.marker->kept;
  scene.marker->is_there = false;
  CHECK_FALSE(is_in_touch(scene));
  scene.marker->is_there = true;
  scene.marker->is_bare = true;
  scene.marker->kept.reset();
  CHECK_FALSE(is_in_touch(scene));
  CHECK_THAT(scene.counted.exposition(), Catch::Contains("agent_standing_aside{cluster=\"ccr1\"} 1"));
  scene.marker->is_bare = false;
  scene.marker->kept = marker;
  CHECK(is_in_touch(scene));
  CHECK(scene.state->kept.role == Role::active);
}

TEST_CASE("asking for the status keeps no hold alive where watch does not") {
  Watching scene;
  scene.become_active();
  scene.marker->kept = "another";
  scene.rounds(2);
  const std::size_t before = scene.hub().contacts;
  status(scene.surroundings);
  demote(scene.surroundings);
  status(scene.surroundings);
  CHECK(scene.hub().contacts == before);
}

TEST_CASE("an agent that is new on a node with the mail of an earlier life stands aside") {
  Watching scene;
  scene.hub().active = "node2";
  scene.hub().term = 3;
  scene.marker->kept = "of an agent whose state is gone";
  for (int round = 0; round < 3; ++round)
    CHECK_FALSE(is_in_touch(scene));
  CHECK(scene.state->kept.role == Role::passive);
}

TEST_CASE("a node that somebody else activates is in touch from the same round on") {
  Watching scene;
  scene.rounds(2);
  REQUIRE(scene.state->kept.role == Role::passive);
  scene.hub().active = "node2";
  scene.hub().term = 1;
  CHECK(is_in_touch(scene));
  CHECK(scene.state->kept.role == Role::active);
}

TEST_CASE("a passive node with a promote that was interrupted may act") {
  State state;
  state.role = Role::passive;
  CHECK_FALSE(why_aside(state, StoreStanding::own).empty());
  state.promote.emplace();
  CHECK(why_aside(state, StoreStanding::own).empty());
  CHECK_FALSE(why_aside(state, StoreStanding::foreign).empty());
}
