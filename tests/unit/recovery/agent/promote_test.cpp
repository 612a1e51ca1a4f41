#include <catch2/catch.hpp>

#include "fakes.hpp"

using namespace recovery::agent;
using namespace recovery::agent::test;
using namespace std::chrono_literals;
using dumpster::DeliveryState;

TEST_CASE("promote delivers exactly what is missing and ends with 0") {
  Scene scene;
  scene.hub().lines = {line(1, "alice"), line(2, "alice"), line(3, "bob")};
  scene.world.store("alice", id(1));
  const Report report = scene.promote();
  CHECK(report.exit_status() == 0);
  CHECK(report.term == 1);
  REQUIRE(report.hubs.size() == 1);
  CHECK(report.hubs[0].listed == 3);
  CHECK(report.hubs[0].present == 1);
  CHECK(report.hubs[0].resubmitted == 2);
  CHECK(report.hubs[0].delivered == 2);
  CHECK(report.hubs[0].missing == 0);
  CHECK(scene.world.inventory().copies("alice", id(1)) == 1);
  CHECK(scene.world.inventory().copies("alice", id(2)) == 1);
  CHECK(scene.world.inventory().copies("bob", id(3)) == 1);
  CHECK(scene.world.place_of("recovered http://hub1 1") >= 0);
  CHECK_FALSE(scene.state->kept.promote);
  CHECK(scene.state->kept.orders.empty());
  CHECK(scene.state->kept.role == Role::active);
}

TEST_CASE("promote calls nothing absent, whatever is missing") {
  Scene scene;
  scene.hub().lines = {line(1, "alice"), line(2, "bob")};
  scene.world.store("bob", id(9));
  scene.promote();
  CHECK(scene.world.count_of("absent") == 0);
}

TEST_CASE(
    "an inventory that cannot be taken resubmits nothing, tells no hub that it is done, and is kept "
    "pending") {
  for (const int look : {0, 1}) {
    Scene scene;
    scene.hub().lines = {line(1, "alice"), line(2, "alice", "node1", 0, DeliveryState::in_doubt)};
    scene.inventory->fails_from = look;
    const Report report = scene.promote();
    CHECK(report.exit_status() == 1);
    CHECK(scene.hub().bodies.empty());
    CHECK(scene.world.count_of("recovered") == 0);
    REQUIRE(scene.state->kept.promote);
    CHECK_FALSE(scene.state->kept.promote->hubs.at("http://hub1").filled);
  }
}

TEST_CASE("a listing that breaks off decides nothing on that hub; the others are filled") {
  Scene scene(2);
  scene.hub(0).lines = {line(1, "alice")};
  scene.hub(1).lines = {line(2, "alice")};
  scene.hub(0).breaks_listings = true;
  const Report report = scene.promote();
  CHECK(report.exit_status() == 1);
  CHECK(scene.hub(0).bodies.empty());
  CHECK(scene.world.inventory().copies("alice", id(2)) == 1);
}

TEST_CASE("mailboxes that could not be looked at are left alone and told, and promote ends with 4") {
  Scene scene;
  scene.hub().lines = {line(1, "alice"), line(2, "stranger")};
  scene.inventory->unknown = {"stranger"};
  const Report report = scene.promote();
  CHECK(report.exit_status() == 4);
  CHECK(report.hubs[0].unknown == 1);
  CHECK(report.notes.size() == 1);
  CHECK(scene.world.inventory().copies("alice", id(1)) == 1);
  CHECK(scene.world.inventory().copies("stranger", id(2)) == 0);
}

TEST_CASE(
    "what is in doubt is decided only after its outcome is settled, however long ago the activation was") {
  Scene scene;
  ListedDelivery fresh = line(1, "alice", "node1", 0, DeliveryState::in_doubt);
  fresh.delivered_at = scene.clock.now() + 4s;
  scene.hub().lines = {fresh, line(2, "alice", "node1", 0, DeliveryState::in_doubt)};
  scene.world.store("alice", id(2));
  const Report report = scene.promote();
  CHECK(report.exit_status() == 0);
  CHECK(report.hubs[0].in_doubt_settled == 2);
  CHECK(scene.world.inventory().copies("alice", id(1)) == 1);
  CHECK(scene.world.inventory().copies("alice", id(2)) == 1);
  CHECK(scene.hub().bodies.size() == 2);
  CHECK(scene.clock.now() >= fresh.delivered_at + 5s);
}

TEST_CASE("what a node refuses is reported as failed, and promote ends with 4") {
  Scene scene;
  scene.hub().lines = {line(1, "alice"), line(2, "full")};
  scene.hub().refused = {"full"};
  const Report report = scene.promote();
  CHECK(report.exit_status() == 4);
  CHECK(report.hubs[0].failed == 1);
  CHECK(report.hubs[0].missing == 0);
  CHECK(report.hubs[0].delivered == 1);
}

TEST_CASE("what a mailbox server drops after its 250 is reported as missing, and promote ends with 4") {
  Scene scene;
  scene.hub().lines = {line(1, "alice"), line(2, "bob")};
  scene.hub().dropped = {"bob"};
  const Report report = promote(scene.surroundings, {}, true);
  CHECK(report.exit_status() == 4);
  CHECK(report.hubs[0].missing == 1);
  REQUIRE(report.notes.size() == 1);
  CHECK_THAT(report.notes[0], Catch::Contains("a filter discards or forwards it"));
  REQUIRE(report.items.size() == 3);
  CHECK(report.items[2].outcome == "missing");
  REQUIRE(report.items[2].recipients.size() == 1);
  CHECK(report.items[2].recipients[0] == "bob@example.test");
}

TEST_CASE("promote waits for quiesce before it looks, and decides nothing when that fails") {
  Scene scene;
  scene.hub().lines = {line(1, "alice")};
  scene.surroundings.quiesce = [&scene]() -> dumpster::Result<void> {
    scene.world.note("quiesce");
    return {};
  };
  const Report report = scene.promote();
  CHECK(report.exit_status() == 0);
  CHECK_FALSE(report.unfenced);
  CHECK(scene.world.place_of("activate") < scene.world.place_of("quiesce"));
  CHECK(scene.world.place_of("quiesce") < scene.world.place_of("look"));

  Scene failing;
  failing.hub().lines = {line(1, "alice")};
  failing.surroundings.quiesce = []() -> dumpster::Result<void> {
    return dumpster::Error{dumpster::Fault::unavailable, "status 1"};
  };
  CHECK(failing.promote().exit_status() == 1);
  CHECK(failing.hub().bodies.empty());
  CHECK(failing.world.place_of("look") == -1);
}

TEST_CASE("without a quiesce command the report says unfenced") {
  CHECK(Scene{}.promote().unfenced);
}

TEST_CASE("the window starts at the lookback in the hub's time, and the inventory earlier by the margin") {
  Scene scene;
  scene.surroundings.lookback = 12h;
  ListedDelivery old = line(1, "alice");
  old.delivered_at = scene.clock.now() - 13h;
  ListedDelivery recent = line(2, "alice");
  recent.delivered_at = scene.clock.now() - 11h;
  scene.hub().lines = {old, recent};
  const Instant begin = scene.clock.now();
  const Report report = scene.promote();
  CHECK(report.hubs[0].listed == 1);
  CHECK(scene.world.inventory().copies("alice", id(1)) == 0);
  CHECK(scene.world.inventory().copies("alice", id(2)) == 1);
  REQUIRE_FALSE(scene.inventory->starts.empty());
  CHECK(scene.inventory->starts[0] <= begin - 12h - 5min);
}

TEST_CASE("a hub whose dumpster does not reach back is named, and promote ends with 3") {
  Scene scene;
  scene.hub().complete = false;
  scene.hub().covered_from = scene.clock.now();
  const Report report = scene.promote();
  CHECK(report.exit_status() == 3);
  CHECK_FALSE(report.hubs[0].covered);
  CHECK_FALSE(report.hubs[0].coverage.empty());
}

TEST_CASE("a known hub with another store has lost its dumpster; one never met has not") {
  Scene scene;
  scene.hub().identity.store_created = scene.clock.now() - 1h;
  scene.hub().covered_from = scene.hub().identity.store_created;
  scene.hub().complete = false;
  CHECK(scene.promote().exit_status() == 0);
  scene.hub().identity.store_id = "restored";
  CHECK(scene.promote().exit_status() == 3);
}

TEST_CASE("a dry run says what it would do and changes nothing") {
  Scene scene;
  scene.hub().lines = {line(1, "alice"), line(2, "alice", "node1", 0, DeliveryState::in_doubt)};
  scene.world.store("alice", id(2));
  PromoteOptions options;
  options.dry_run = true;
  const Report report = scene.promote(options);
  CHECK(report.exit_status() == 0);
  REQUIRE(report.items.size() == 2);
  CHECK(report.items[0].outcome == "deliver");
  CHECK(report.items[1].outcome == "settle as present");
  CHECK(scene.world.count_of("activate") + scene.world.count_of("resubmit") + scene.world.count_of("save") ==
        0);
}

TEST_CASE("a planned move activates as lossless and still compares") {
  Scene scene;
  scene.hub().lines = {line(1, "alice")};
  PromoteOptions options;
  options.planned = true;
  CHECK(scene.promote(options).exit_status() == 0);
  CHECK(scene.world.place_of("activate http://hub1 1 lossless") >= 0);
  CHECK(scene.world.inventory().copies("alice", id(1)) == 1);
}

TEST_CASE("hubs that disagree about the nodes are an error before anything is activated") {
  Scene scene(2);
  scene.hub(1).nodes = {"node2", "node1"};
  CHECK(scene.promote().exit_status() == 1);
  CHECK(scene.world.count_of("activate") == 0);
}

TEST_CASE("a node that the hubs do not know cannot be promoted") {
  Scene scene;
  scene.hub().nodes = {"node1", "node3"};
  CHECK(scene.promote().exit_status() == 1);
  CHECK(scene.world.count_of("activate") == 0);
}
