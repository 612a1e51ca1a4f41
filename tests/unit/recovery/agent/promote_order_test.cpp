#include <catch2/catch.hpp>

#include "fakes.hpp"

using namespace recovery::agent;
using namespace recovery::agent::test;

TEST_CASE("the term is durable before the first hub hears it, each order before it is sent") {
  Scene scene(2);
  scene.hub(0).lines = {line(1, "alice")};
  scene.hub(1).lines = {line(2, "alice")};
  CHECK(scene.promote().exit_status() == 0);
  const int saved = scene.world.place_of("save term 1");
  REQUIRE(saved >= 0);
  CHECK(saved < scene.world.place_of("activate"));
  const int ordered = scene.world.place_of("save term 1 orders 2");
  REQUIRE(ordered >= 0);
  CHECK(ordered < scene.world.place_of("resubmit"));
  CHECK(scene.world.place_of("resubmit http://hub2") < scene.world.place_of("recovered"));
}

TEST_CASE("nothing is activated when the term cannot be made durable") {
  Scene scene;
  scene.state->fails_to_save = true;
  CHECK(scene.promote().exit_status() == 1);
  CHECK(scene.world.count_of("activate") == 0);
}

TEST_CASE("a damaged state is an error, and nothing is activated") {
  Scene scene;
  scene.state->fails_to_load = true;
  CHECK(scene.promote().exit_status() == 1);
  CHECK(scene.world.count_of("activate") == 0);
}

TEST_CASE("an order that was interrupted is sent again byte for byte, under the same term") {
  Scene scene;
  scene.hub().lines = {line(1, "alice"), line(2, "bob")};
  scene.hub().lost_after_resubmit = true;
  const Report first = scene.promote();
  CHECK(first.exit_status() == 2);
  REQUIRE(scene.state->kept.orders.size() == 1);

  scene.hub().lost_after_resubmit = false;
  scene.hub().reachable = true;
  const Report second = scene.promote();
  CHECK(second.exit_status() == 0);
  CHECK(second.term == first.term);
  REQUIRE(scene.hub().bodies.size() >= 2);
  CHECK(scene.hub().bodies.front() == scene.hub().bodies.back());
  CHECK(scene.hub().keys.size() == 1);
  CHECK(scene.world.inventory().copies("alice", id(1)) == 1);
  CHECK(scene.world.inventory().copies("bob", id(2)) == 1);
  CHECK(second.hubs[0].delivered == 2);
}

TEST_CASE("what an interrupted order delivered is looked for at the end, too") {
  Scene scene;
  scene.hub().lines = {line(1, "alice")};
  scene.hub().dropped = {"alice"};
  scene.hub().lost_after_resubmit = true;
  scene.promote();
  scene.hub().lost_after_resubmit = false;
  scene.hub().reachable = true;
  const Report report = scene.fill();
  CHECK(report.exit_status() == 4);
  CHECK(report.hubs[0].missing == 1);
}

TEST_CASE("a promote that is asked to end stops between its steps and is kept") {
  Scene scene;
  scene.hub().lines = {line(1, "alice")};
  scene.clock.stopped = true;
  CHECK(scene.promote().exit_status() == 1);
  CHECK(scene.hub().bodies.empty());
  REQUIRE(scene.state->kept.promote);
  CHECK(scene.state->kept.promote->term == 1);
}

TEST_CASE("a large gap goes out in several orders, each durable first") {
  Scene scene;
  for (int i = 0; i < 10'001; ++i) {
    ListedDelivery made = line(1, "alice");
    made.delivery_id.bytes[13] = static_cast<std::uint8_t>(i >> 8);
    made.delivery_id.bytes[14] = static_cast<std::uint8_t>(i);
    scene.hub().lines.push_back(made);
  }
  const Report report = scene.promote();
  CHECK(report.exit_status() == 0);
  CHECK(report.hubs[0].delivered == 10'001);
  CHECK(scene.hub().keys.size() == 3);
  CHECK(scene.world.place_of("save term 1 orders 3") >= 0);
}
