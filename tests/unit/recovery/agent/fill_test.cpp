#include <catch2/catch.hpp>

#include "fakes.hpp"

using namespace recovery::agent;
using namespace recovery::agent::test;
using namespace std::chrono_literals;

TEST_CASE(
    "a hub out of reach is waited for, then remembered; the others are filled, and promote ends with 2") {
  Scene scene(2);
  scene.hub(0).lines = {line(1, "alice")};
  scene.hub(1).lines = {line(2, "alice")};
  scene.hub(1).reachable = false;
  const Report report = scene.promote();
  CHECK(report.exit_status() == 2);
  CHECK(scene.clock.elapsed() >= 2s);
  CHECK(scene.world.inventory().copies("alice", id(1)) == 1);
  CHECK_FALSE(report.hubs[0].remembered);
  CHECK(report.hubs[1].remembered);
  REQUIRE(scene.state->kept.promote);
  CHECK(scene.state->kept.promote->hubs.at("http://hub1").filled);
  CHECK_FALSE(scene.state->kept.promote->hubs.at("http://hub2").activated);
}

TEST_CASE("fill activates and fills the hub that promote did not reach, with the promote's term and window") {
  Scene scene(2);
  scene.surroundings.lookback = 12h;
  scene.hub(1).reachable = false;
  CHECK(scene.promote().exit_status() == 2);
  ListedDelivery before = line(2, "alice");
  before.delivered_at = scene.clock.now() - 11h;
  scene.hub(1).lines = {before};
  scene.clock.pause(48h);
  scene.hub(1).reachable = true;
  const Report report = scene.fill();
  CHECK(report.exit_status() == 0);
  CHECK(report.term == 1);
  CHECK(scene.hub(1).term == 1);
  CHECK(scene.world.inventory().copies("alice", id(2)) == 1);
  CHECK_FALSE(scene.state->kept.promote);
  CHECK(scene.world.count_of("activate http://hub1") == 1);
}

TEST_CASE("fill with nothing pending does nothing") {
  Scene scene;
  CHECK(scene.fill().exit_status() == 0);
  CHECK(scene.world.events().empty());
}

TEST_CASE("a promote that reached no hub at all is kept, and filled when one is there") {
  Scene scene;
  scene.hub().lines = {line(1, "alice")};
  scene.hub().reachable = false;
  CHECK(scene.promote().exit_status() == 2);
  REQUIRE(scene.state->kept.promote);
  CHECK(scene.fill().exit_status() == 2);
  scene.hub().reachable = true;
  CHECK(scene.fill().exit_status() == 0);
  CHECK(scene.hub().active == "node2");
  CHECK(scene.world.inventory().copies("alice", id(1)) == 1);
}

TEST_CASE("a promote that reached no hub gives way when another node was activated meanwhile") {
  Scene scene;
  scene.hub().reachable = false;
  CHECK(scene.promote().exit_status() == 2);
  scene.hub().reachable = true;
  scene.hub().term = 2;
  CHECK(scene.fill().exit_status() == 5);
  CHECK(scene.hub().active == "node1");
}

TEST_CASE("promote without filling activates, and leaves the rest to fill") {
  Scene scene;
  scene.hub().lines = {line(1, "alice")};
  PromoteOptions options;
  options.fill = false;
  CHECK(scene.promote(options).exit_status() == 0);
  CHECK(scene.hub().active == "node2");
  CHECK(scene.world.count_of("list") + scene.world.count_of("recovered") == 0);
  CHECK(scene.fill().exit_status() == 0);
  CHECK(scene.world.inventory().copies("alice", id(1)) == 1);
}

TEST_CASE("a hub that is not configured any more is not waited for") {
  Scene scene;
  scene.inventory->fails_from = 0;
  scene.hub().lines = {line(1, "alice")};
  scene.promote();
  scene.state->kept.promote->hubs["http://gone"] = HubProgress{};
  scene.inventory->fails_from = -1;
  CHECK(scene.fill().exit_status() == 0);
  CHECK_FALSE(scene.state->kept.promote);
}

TEST_CASE("what a mailbox does not take is left to the hub after a minute, and promote ends with 4") {
  Scene scene;
  scene.hub().lines = {line(1, "alice"), line(2, "full")};
  scene.hub().deferred = {"full"};
  const Report report = scene.promote();
  CHECK(report.exit_status() == 4);
  CHECK(report.hubs[0].filled);
  CHECK(report.hubs[0].delivered == 1);
  CHECK(report.hubs[0].waiting == 1);
  CHECK(scene.clock.elapsed() >= 60s);
  CHECK(scene.clock.elapsed() < 120s);
  CHECK_FALSE(scene.state->kept.promote);
  CHECK(scene.state->kept.orders.size() == 1);
}

TEST_CASE("a filling goes on as long as something is delivered now and then") {
  Scene scene;
  for (std::uint8_t number = 1; number <= 5; ++number) {
    const std::string mailbox = "slow" + std::to_string(number);
    scene.hub().lines.push_back(line(number, mailbox));
    scene.hub().deferred.insert(mailbox);
  }
  auto next = scene.clock.elapsed() + 40s;
  scene.hub().before_answer = [&] {
    auto& deferred = scene.hub().deferred;
    if (scene.clock.elapsed() < next || deferred.empty()) return;
    deferred.erase(deferred.begin());
    next += 40s;
  };
  const Report report = scene.promote();
  CHECK(report.exit_status() == 0);
  CHECK(report.hubs[0].delivered == 5);
  CHECK(scene.clock.elapsed() >= 200s);
}

TEST_CASE("a window that nothing of is delivered is left to the hub, too") {
  Scene scene;
  scene.promote();
  scene.hub().lines = {line(1, "full", "node2", 1)};
  scene.hub().deferred = {"full"};
  WindowOptions window;
  window.from = at(0);
  const Report report = fill_window(scene.surroundings, window);
  CHECK(report.exit_status() == 4);
  CHECK(report.hubs[0].waiting == 1);
}

TEST_CASE("a window is filled again on the active node only, own deliveries included") {
  Scene scene;
  scene.promote();
  scene.hub().lines = {line(1, "alice", "node2", 1), line(2, "bob", "node2", 1)};
  WindowOptions window;
  window.from = at(0);
  window.mailboxes = {"alice"};
  CHECK(fill_window(scene.surroundings, window).exit_status() == 0);
  CHECK(scene.world.inventory().copies("alice", id(1)) == 1);
  CHECK(scene.world.inventory().copies("bob", id(2)) == 0);

  scene.hub().active = "node1";
  scene.hub().term = 2;
  CHECK(fill_window(scene.surroundings, window).exit_status() == 5);
}

TEST_CASE("demote tells no hub, and forgets what was pending") {
  Scene scene(2);
  scene.hub(1).reachable = false;
  scene.promote();
  const std::size_t before = scene.world.count_of("activate");
  CHECK(demote(scene.surroundings).exit_status() == 0);
  CHECK(scene.world.count_of("activate") == before);
  CHECK_FALSE(scene.state->kept.promote);
  CHECK(scene.state->kept.role == Role::passive);
}
