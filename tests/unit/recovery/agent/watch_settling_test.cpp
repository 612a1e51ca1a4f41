#include <catch2/catch.hpp>

#include "watching.hpp"

using namespace recovery::agent;
using namespace recovery::agent::test;
using namespace std::chrono_literals;
using dumpster::DeliveryState;

TEST_CASE("the active node settles what is in doubt: what is there as present, the rest delivered again") {
  Watching scene;
  scene.become_active();
  scene.deliver(1, "alice", "node2", 1);
  scene.deliver(2, "alice", "node2", 1);
  for (ListedDelivery& line : scene.hub().lines)
    line.state = DeliveryState::in_doubt;
  scene.world.store("alice", id(1));
  scene.clock.pause(6s);
  scene.rounds(2);
  CHECK(scene.world.inventory().copies("alice", id(1)) == 1);
  CHECK(scene.world.inventory().copies("alice", id(2)) == 1);
  CHECK(scene.hub().lines[0].state == DeliveryState::delivered);
}

TEST_CASE("a mailbox that takes nothing holds up no round, and is followed until it does") {
  Watching scene;
  scene.become_active();
  for (std::uint8_t number : {1, 2}) {
    scene.deliver(number, number == 1 ? "alice" : "full", "node2", 1);
    scene.hub().lines.back().state = DeliveryState::in_doubt;
  }
  scene.hub().deferred = {"full"};
  scene.clock.pause(6s);
  for (int round = 0; round < 5; ++round) {
    const auto begun = scene.clock.elapsed();
    scene.rounds(1);
    CHECK(scene.clock.elapsed() - begun < 15s);
  }
  CHECK(scene.world.inventory().copies("alice", id(1)) == 1);
  CHECK(scene.world.inventory().copies("full", id(2)) == 0);
  CHECK(scene.hub().keys.size() == 1);
  CHECK(scene.state->kept.orders.size() == 1);
  scene.hub().deferred.clear();
  scene.rounds(2);
  CHECK(scene.world.inventory().copies("full", id(2)) == 1);
  CHECK(scene.state->kept.orders.empty());
  CHECK_THAT(scene.counted.exposition(),
             Catch::Contains("agent_in_doubt_settled_total{cluster=\"ccr1\",outcome=\"deliver\"} 2\n"));
}
