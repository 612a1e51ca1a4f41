#include <catch2/catch.hpp>

#include "fakes.hpp"

using namespace recovery::agent;
using namespace recovery::agent::test;
using dumpster::DeliveryState;

namespace {

/// Two deliveries that the node does not have; the first leaves the dumpster between the look and the
/// request.
class Vanishing : public Scene {
 public:
  Vanishing() {
    hub().lines = {line(1, "alice"), line(2, "bob")};
    hub().before_order = [this] {
      if (before) before();
      std::erase_if(hub().lines, [](const ListedDelivery& known) { return known.delivery_id == id(1); });
      hub().before_order = nullptr;
    };
  }

  std::function<void()> before;
};

}  // namespace

TEST_CASE("what leaves the dumpster between the look and the request is missing and not covered") {
  Vanishing scene;
  const Report report = promote(scene.surroundings, {}, true);
  CHECK(report.exit_status() == 4);
  CHECK(report.hubs[0].missing == 1);
  CHECK_FALSE(report.hubs[0].covered);
  CHECK_THAT(report.hubs[0].coverage, Catch::Contains("mail of 1 recipients left the dumpster"));
  REQUIRE(report.items.size() == 3);
  CHECK(report.items[2].outcome == "missing");
  CHECK(report.items[2].delivery_id == dumpster::to_string(id(1)));
  CHECK(scene.world.inventory().copies("bob", id(2)) == 1);
}

TEST_CASE("what leaves the dumpster is not missing when replication has brought it meanwhile") {
  Vanishing scene;
  scene.before = [&scene] { scene.world.store("alice", id(1)); };
  const Report report = scene.promote();
  CHECK(report.exit_status() == 0);
  CHECK(report.hubs[0].missing == 0);
  CHECK(report.hubs[0].covered);
  CHECK(scene.world.inventory().copies("alice", id(1)) == 1);
}

TEST_CASE("of two recipients at one mailbox, the one copy that is there leaves one missing") {
  Vanishing scene;
  scene.hub().lines[0].recipients.push_back({"alice+x@example.test", "alice"});
  scene.before = [&scene] { scene.world.store("alice", id(1)); };
  const Report report = scene.promote();
  CHECK(report.hubs[0].missing == 1);
  CHECK(report.exit_status() == 4);
}

TEST_CASE("what has moved between the look and the request is judged anew, and not missing") {
  Scene scene;
  scene.hub().lines = {line(1, "alice")};
  scene.hub().before_order = [&scene] {
    scene.hub().lines[0].attempt = 2;
    scene.hub().before_order = nullptr;
  };
  const Report report = scene.promote();
  CHECK(report.exit_status() == 0);
  CHECK(scene.world.inventory().copies("alice", id(1)) == 1);
  CHECK(scene.hub().bodies.size() == 2);
}

TEST_CASE("what an interrupted order named and its hub has dropped since is missing") {
  Scene scene;
  scene.hub().lines = {line(1, "alice"), line(2, "bob")};
  scene.hub().before_order = [&scene] { scene.hub().reachable = false; };
  CHECK(scene.promote().exit_status() == 2);
  REQUIRE(scene.state->kept.orders.size() == 1);
  scene.hub().before_order = nullptr;
  scene.hub().reachable = true;
  scene.hub().lines.erase(scene.hub().lines.begin());
  const Report report = scene.promote();
  CHECK(report.exit_status() == 4);
  CHECK(report.hubs[0].missing == 1);
  CHECK(scene.world.inventory().copies("bob", id(2)) == 1);
}

TEST_CASE("what was in doubt from before the window and is settled meanwhile is not taken for gone") {
  Scene scene;
  scene.surroundings.lookback = std::chrono::hours{1};
  ListedDelivery old = line(1, "alice", "node1", 0, DeliveryState::in_doubt);
  old.delivered_at = scene.clock.now() - std::chrono::hours{5};
  scene.hub().lines = {old};
  scene.hub().before_order = [&scene] {
    scene.hub().lines[0].state = DeliveryState::absent;
    scene.hub().lines[0].attempt = 2;
    scene.hub().before_order = nullptr;
  };
  const Report report = scene.promote();
  CHECK(report.exit_status() == 0);
  CHECK(report.hubs[0].missing == 0);
}

TEST_CASE("a hub that answers from another store in the middle of a fill has lost its dumpster") {
  Scene scene;
  scene.hub().lines = {line(1, "alice")};
  scene.hub().before_order = [&scene] {
    scene.hub().identity.store_id = "restored";
    scene.hub().lines[0].attempt = 2;
    scene.hub().before_order = nullptr;
  };
  const Report report = scene.promote();
  CHECK(report.exit_status() == 3);
  CHECK_THAT(report.hubs[0].coverage, Catch::Contains("lost its dumpster while it was asked"));
}
