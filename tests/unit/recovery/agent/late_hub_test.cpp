#include <catch2/catch.hpp>

#include "recovery/agent/status_text.hpp"
#include "watching.hpp"

using namespace recovery::agent;
using namespace recovery::agent::test;
using namespace std::chrono_literals;
using dumpster::DeliveryState;

namespace {

/// A node that was promoted while its second hub, which keeps mail for two days, was away.
class OneHubAway : public Watching {
 public:
  explicit OneHubAway(bool ever_met = true) : Watching(2) {
    hub(1).max_time = 48h;
    hub(1).reachable = ever_met;
    rounds(1);
    hub(1).reachable = false;
    REQUIRE(promote().exit_status() == 2);
  }

  bool waits() const { return state->kept.promote.has_value(); }
  bool was_given_up() const { return state->kept.never_asked.contains("http://hub2"); }
  std::string metrics_text() const { return counted.exposition(); }
};

}  // namespace

TEST_CASE("a hub that stays away is waited for until its own retention is over, and then named") {
  OneHubAway scene;
  scene.clock.pause(47h);
  scene.rounds(2);
  CHECK(scene.waits());
  scene.clock.pause(1min);  // watch leaves it alone for that long
  CHECK(scene.fill().exit_status() == 2);
  CHECK_THAT(scene.metrics_text(), Catch::Contains("state=\"pending\"} 1"));

  scene.clock.pause(1h);
  scene.rounds(2);
  CHECK_FALSE(scene.waits());
  CHECK(scene.was_given_up());
  CHECK_THAT(scene.metrics_text(), Catch::Contains("state=\"pending\"} 0"));
  CHECK_THAT(scene.metrics_text(), Catch::Contains("state=\"never_asked\"} 1"));
  const StatusReport shown = status(scene.surroundings);
  CHECK(shown.report.exit_status() == 3);
  CHECK_THAT(to_text(shown), Catch::Contains("NEVER ASKED http://hub2"));
  CHECK_THAT(to_json(shown), Catch::Contains("\"never_asked\":{\"http://hub2\":"));
  CHECK(scene.fill().exit_status() == 3);
}

TEST_CASE("fill gives up on a hub by itself, and ends with 3") {
  OneHubAway scene;
  scene.clock.pause(48h);
  const Report report = scene.fill();
  CHECK(report.exit_status() == 3);
  CHECK_FALSE(report.hubs[1].remembered);
  CHECK_THAT(report.hubs[1].coverage, Catch::Contains("never asked"));
  CHECK_FALSE(scene.waits());
}

TEST_CASE("a hub that never said how long it keeps mail is waited for a week") {
  OneHubAway scene{false};
  scene.clock.pause(24h * 7 - 1h);
  scene.rounds(2);
  CHECK(scene.waits());
  scene.clock.pause(1h);
  scene.rounds(2);
  CHECK_FALSE(scene.waits());
  CHECK(scene.was_given_up());
}

TEST_CASE("a hub that is back in time is asked, however late its turn comes") {
  OneHubAway scene;
  scene.clock.pause(72h);
  scene.hub(1).reachable = true;
  scene.rounds(2);
  CHECK_FALSE(scene.was_given_up());
  CHECK_FALSE(scene.waits());
  CHECK(scene.hub(1).active == "node2");
}

TEST_CASE("a hub that was given up and comes back is activated and filled, and is named no longer") {
  OneHubAway scene;
  scene.clock.pause(48h);
  scene.rounds(2);
  REQUIRE(scene.was_given_up());
  // What it still had to deliver has fallen in doubt, the rest is gone.
  scene.deliver(1, "alice", "node1", 0, 1);
  scene.hub(1).lines[0].state = DeliveryState::in_doubt;
  scene.hub(1).covered_from = scene.clock.now();
  scene.hub(1).complete = false;
  scene.hub(1).reachable = true;
  scene.clock.pause(1min);
  scene.rounds(2);
  CHECK(scene.hub(1).active == "node2");
  CHECK(scene.world.inventory().copies("alice", id(1)) == 1);
  CHECK_FALSE(scene.was_given_up());
  CHECK(scene.fill().exit_status() == 0);
}

TEST_CASE("the other hubs are served while one is away and when it was given up") {
  OneHubAway scene;
  for (std::uint8_t number = 1; number < 3; ++number) {
    scene.deliver(number, "alice", "node2", 1);
    scene.hub(0).lines.back().state = DeliveryState::in_doubt;
    scene.clock.pause(49h);
    scene.rounds(2);
    CHECK(scene.world.inventory().copies("alice", id(number)) == 1);
  }
  CHECK(scene.was_given_up());
}

TEST_CASE("a promote that has reached no hub at all stays an order, however long they are away") {
  Watching scene;
  scene.hub().max_time = 1h;
  scene.hub().reachable = false;
  CHECK(scene.promote().exit_status() == 2);
  scene.clock.pause(24h * 30);
  scene.rounds(2);
  scene.hub().reachable = true;
  scene.clock.pause(1min);
  scene.rounds(2);
  CHECK(scene.hub().active == "node2");
}

TEST_CASE("what was never asked is another node's concern once that is active") {
  OneHubAway scene;
  scene.clock.pause(48h);
  scene.rounds(2);
  REQUIRE(scene.was_given_up());
  scene.hub().active = "node1";
  scene.hub().term = 2;
  scene.rounds(1);
  CHECK_FALSE(scene.was_given_up());
}
