#include <boost/json.hpp>
#include <catch2/catch.hpp>

#include "watching.hpp"

using namespace recovery::agent;
using namespace recovery::agent::test;
using namespace std::chrono_literals;
using dumpster::DeliveryState;

TEST_CASE("a passive node confirms what has arrived, and its window starts at the oldest that has not") {
  Watching scene;
  scene.rounds(1);
  scene.deliver(1, "alice");
  scene.deliver(2, "bob");
  const Instant missing = scene.hub().lines[1].delivered_at;
  scene.world.store("alice", id(1));
  scene.rounds(2);
  CHECK(scene.ledger->saved.copies("alice", id(1)) == 1);
  CHECK(scene.mark().low == missing);
  CHECK(scene.mark().unconfirmed == 1);
  scene.world.store("bob", id(2));
  scene.rounds(4);
  CHECK(scene.mark().unconfirmed == 0);
  CHECK(scene.mark().low > missing);
  CHECK(scene.state->kept.role == Role::passive);
}

TEST_CASE("confirmed mail that its reader deletes does not come back at the failover") {
  Watching scene;
  scene.rounds(1);
  scene.deliver(1, "alice");
  scene.deliver(2, "alice");
  scene.deliver(3, "alice");
  scene.world.store("alice", id(1));
  scene.world.store("alice", id(2));
  scene.rounds(2);
  scene.world.remove("alice", id(1));
  const Report report = scene.promote();
  CHECK(report.exit_status() == 0);
  CHECK(report.hubs[0].resubmitted == 1);
  CHECK(scene.world.inventory().copies("alice", id(1)) == 0);
  CHECK(scene.world.inventory().copies("alice", id(2)) == 1);
  CHECK(scene.world.inventory().copies("alice", id(3)) == 1);
}

TEST_CASE("two recipients of one message that end at one mailbox need two copies to be confirmed") {
  Watching scene;
  scene.rounds(1);
  scene.deliver(1, "alice");
  scene.hub().lines[0].recipients.push_back({"alice+x@example.test", "alice"});
  scene.world.store("alice", id(1));
  scene.rounds(3);
  CHECK(scene.mark().unconfirmed == 1);
  scene.world.store("alice", id(1));
  scene.rounds(4);
  CHECK(scene.mark().unconfirmed == 0);
}

TEST_CASE("a store that was restored is a foreign one: nothing that was confirmed counts") {
  Watching scene;
  scene.rounds(1);
  scene.deliver(1, "alice");
  scene.world.store("alice", id(1));
  scene.rounds(2);
  REQUIRE(scene.ledger->saved.size() == 1);
  scene.world.remove("alice", id(1));
  scene.marker->kept = "of an old backup";
  scene.rounds(1);
  CHECK(scene.ledger->saved.copies("alice", id(1)) == 0);
  CHECK(scene.promote().exit_status() == 0);
  CHECK(scene.world.inventory().copies("alice", id(1)) == 1);
}

TEST_CASE(
    "a store that is not mounted ends promote before anything is activated, and watch confirms nothing") {
  Watching scene;
  scene.rounds(1);
  scene.marker->is_bare = true;
  scene.marker->kept.reset();
  scene.deliver(1, "alice");
  CHECK_FALSE(scene.watch.round());
  CHECK(scene.promote().exit_status() == 1);
  CHECK(scene.world.count_of("activate") == 0);
  CHECK(scene.hub().bodies.empty());
  PromoteOptions wiped;
  wiped.new_store = true;
  CHECK(scene.promote(wiped).exit_status() == 0);
  CHECK(scene.world.inventory().copies("alice", id(1)) == 1);
}

TEST_CASE("an active node whose store turns out to be another is passive until a promote") {
  Watching scene;
  scene.become_active();
  scene.rounds(1);
  REQUIRE(scene.state->kept.role == Role::active);
  scene.marker->kept = "another";
  scene.deliver(1, "alice", "node2", 1);
  scene.deliver(2, "alice", "node2", 1);
  scene.world.store("alice", id(2));
  scene.rounds(10);
  CHECK(scene.state->kept.role == Role::passive);
  CHECK(scene.hub().absents.empty());
  CHECK(scene.promote().exit_status() == 0);
  CHECK(scene.state->kept.role == Role::active);
  CHECK(scene.world.inventory().copies("alice", id(1)) == 1);
}

TEST_CASE("a higher term of another node ends the active role, and gives the store another marker") {
  Watching scene;
  scene.become_active();
  const std::string before = *scene.marker->kept;
  scene.hub().active = "node1";
  scene.hub().term = 2;
  scene.rounds(1);
  CHECK(scene.state->kept.role == Role::passive);
  CHECK(scene.state->kept.highest_term == 2);
  CHECK(*scene.marker->kept != before);
  CHECK(*scene.marker->kept == scene.state->kept.marker);
}

TEST_CASE("a hub that is behind gets the activation, and its gap is filled") {
  Watching scene{2};
  scene.hub(1).reachable = false;
  CHECK(scene.promote().exit_status() == 2);
  scene.deliver(1, "alice", "node1", 0, 1);
  scene.hub(1).lines[0].delivered_at = at(1'999'000);
  scene.hub(1).reachable = true;
  scene.rounds(3);
  CHECK(scene.hub(1).active == "node2");
  CHECK(scene.world.inventory().copies("alice", id(1)) == 1);
  CHECK_FALSE(scene.state->kept.promote);

  scene.hub(0).term = 0;
  scene.hub(0).active = "node1";
  scene.rounds(3);
  CHECK(scene.hub(0).active == "node2");
  CHECK(scene.hub(0).term == 1);
}

TEST_CASE("what readers delete while a hub is away does not come back from that hub") {
  Watching scene{2};
  scene.rounds(1);
  scene.deliver(1, "alice", "node1", 0, 1);
  scene.deliver(2, "alice", "node1", 0, 1);
  scene.world.store("alice", id(1));
  scene.hub(1).reachable = false;
  CHECK(scene.promote().exit_status() == 2);
  scene.world.remove("alice", id(1));
  scene.clock.pause(3h);
  scene.hub(1).reachable = true;
  scene.rounds(3);
  CHECK(scene.world.inventory().copies("alice", id(1)) == 0);
  CHECK(scene.world.inventory().copies("alice", id(2)) == 1);
  CHECK_FALSE(scene.state->kept.promote);
}

TEST_CASE("a passive node settles nothing, calls nothing absent, and activates nothing") {
  Watching scene;
  scene.deliver(1, "alice");
  scene.deliver(2, "alice");
  scene.deliver(3, "alice");
  scene.hub().lines[0].state = DeliveryState::in_doubt;
  scene.world.store("alice", id(3));
  scene.clock.pause(1h);
  scene.rounds(20);
  CHECK(scene.hub().bodies.empty());
  CHECK(scene.hub().absents.empty());
  CHECK(scene.world.count_of("activate") == 0);
}

TEST_CASE("absent is what two looks do not find in a mailbox that has a later delivery") {
  Watching scene;
  scene.become_active();
  scene.rounds(1);
  scene.deliver(1, "alice", "node2", 1);
  scene.deliver(9, "bob", "node2", 1);
  scene.clock.pause(1s);
  scene.rounds(20);
  CHECK(scene.hub().absents.empty());  // nothing later has been found
  scene.deliver(2, "alice", "node2", 1);
  scene.world.store("alice", id(2));
  scene.rounds(20);
  REQUIRE(scene.hub().absents.size() == 1);
  const auto report = boost::json::parse(scene.hub().absents[0]);
  CHECK(report.at("node").as_string() == "node2");
  CHECK(report.at("term").to_number<int>() == 1);
  REQUIRE(report.at("deliveries").as_array().size() == 1);
  CHECK(report.at("deliveries").at(0).at("delivery_id").as_string() == dumpster::to_string(id(1)));
  CHECK(scene.hub().lines[1].state == DeliveryState::delivered);
}

TEST_CASE("what was delivered before this term, or is found at the second look, is not absent") {
  Watching scene;
  scene.deliver(1, "alice", "node1", 0);
  scene.world.store("alice", id(1));
  scene.become_active();
  scene.world.remove("alice", id(1));
  scene.deliver(2, "alice", "node2", 1);
  scene.world.store("alice", id(2));
  scene.rounds(20);
  CHECK(scene.hub().absents.empty());
}

TEST_CASE("what the active node had confirmed and its reader has deleted is absent") {
  Watching scene;
  scene.become_active();
  scene.deliver(1, "alice", "node2", 1);
  scene.world.store("alice", id(1));
  scene.clock.pause(1s);
  scene.deliver(2, "alice", "node2", 1);
  scene.world.store("alice", id(2));
  scene.rounds(6);
  CHECK(scene.hub().absents.empty());
  scene.world.remove("alice", id(1));
  scene.rounds(12);
  REQUIRE(scene.hub().absents.size() == 1);
  CHECK(scene.hub().lines[0].state == DeliveryState::absent);
}

TEST_CASE("an inventory that cannot be taken confirms nothing and calls nothing absent") {
  Watching scene;
  scene.become_active();
  scene.inventory->fails_from = scene.inventory->taken;
  scene.deliver(1, "alice", "node2", 1);
  scene.deliver(2, "alice", "node2", 1);
  scene.world.store("alice", id(2));
  scene.rounds(10);
  CHECK(scene.hub().absents.empty());
  CHECK(scene.ledger->saved.size() == 0);
}

TEST_CASE("a round that has to give way confirms nothing, and is not counted as failed") {
  Watching scene;
  scene.rounds(1);
  scene.deliver(1, "alice");
  scene.clock.stopped = true;
  scene.inventory->fails_from = scene.inventory->taken;
  CHECK_FALSE(scene.watch.round());
  CHECK_THAT(scene.counted.exposition(), Catch::Contains("result=\"failed\"} 0"));
  scene.clock.stopped = false;
  CHECK_FALSE(scene.watch.round());
  CHECK_THAT(scene.counted.exposition(), Catch::Contains("result=\"failed\"} 1"));
}

TEST_CASE("what left the dumpster before it was confirmed makes the next promote end with 3") {
  Watching scene;
  scene.surroundings.lookback = 12h;
  scene.rounds(1);
  scene.deliver(1, "alice");
  scene.rounds(1);
  scene.hub().covered_from = scene.clock.now();
  scene.hub().lines.clear();
  scene.clock.pause(1min);
  scene.rounds(2);
  CHECK(scene.mark().evicted_until != Instant{});
  scene.deliver(2, "alice");
  const Report report = scene.promote();
  CHECK(report.exit_status() == 3);
  CHECK_FALSE(report.hubs[0].coverage.empty());
}

TEST_CASE("what left the dumpster before it was ever listed makes the next promote end with 3, too") {
  Watching scene;
  scene.surroundings.lookback = 12h;
  scene.rounds(1);
  REQUIRE(scene.mark().evicted_until == Instant{});
  const Instant evicted = scene.clock.now() + 1s;
  scene.hub().covered_from = evicted + std::chrono::microseconds{1};
  scene.clock.pause(1min);
  scene.rounds(3);
  CHECK(scene.mark().evicted_until == evicted);
  CHECK_THAT(scene.counted.exposition(),
             Catch::Contains("agent_evicted_unconfirmed_total{cluster=\"ccr1\",storage_group=\"sg1\"} 1"));
  const Report report = scene.promote();
  CHECK(report.exit_status() == 3);
  CHECK_FALSE(report.hubs[0].coverage.empty());
}

TEST_CASE(
    "what retention takes of mail that is confirmed is no gap, though the window begins earlier by the "
    "margin") {
  Watching scene;
  scene.surroundings.lookback = 12h;
  scene.clock.pause(1h);
  scene.rounds(1);
  const Instant low = scene.mark().low;
  scene.hub().covered_from = low;
  CHECK(scene.promote().exit_status() == 0);

  Watching other;
  other.surroundings.lookback = 12h;
  other.clock.pause(1h);
  other.rounds(1);
  other.hub().covered_from = other.mark().low + 1s;
  CHECK(other.promote().exit_status() == 3);
}

TEST_CASE("what retention takes of the active node's own deliveries is no gap") {
  Watching scene;
  scene.become_active();
  scene.rounds(1);
  scene.hub().covered_from = scene.clock.now() + 1s;
  scene.clock.pause(1min);
  scene.rounds(2);
  CHECK(scene.mark().evicted_until == Instant{});
}

TEST_CASE("lines that move or are purged singly are followed: nothing stays unconfirmed for ever") {
  Watching scene;
  scene.rounds(1);
  scene.deliver(1, "alice");
  scene.deliver(2, "alice");
  scene.rounds(1);
  REQUIRE(scene.mark().unconfirmed == 2);
  scene.hub().lines[0].delivered_at = scene.clock.now() - 1ms;
  scene.world.store("alice", id(1));
  scene.hub().lines.erase(scene.hub().lines.begin() + 1);
  scene.clock.pause(1min);
  scene.rounds(3);
  CHECK(scene.mark().unconfirmed == 0);
  CHECK(scene.mark().evicted_until == Instant{});
}

TEST_CASE("replication feedback names the instant before the oldest unconfirmed delivery") {
  Watching scene;
  Watch telling{scene.surroundings, {2s, true}, scene.counted};
  scene.deliver(1, "alice");
  const Instant missing = scene.hub().lines[0].delivered_at;
  telling.round();
  scene.clock.pause(2s);
  telling.round();
  REQUIRE_FALSE(scene.hub().through.empty());
  CHECK(scene.hub().through.back() < missing);
  scene.world.store("alice", id(1));
  scene.clock.pause(2s);
  telling.round();
  CHECK(scene.hub().through.back() > missing);
}

TEST_CASE("an agent that starts again goes on from its ledger") {
  Watching scene;
  scene.rounds(1);
  scene.deliver(1, "alice");
  scene.deliver(2, "alice");
  scene.world.store("alice", id(1));
  scene.rounds(2);
  scene.world.remove("alice", id(1));
  Watch again{scene.surroundings, {2s, false}, scene.counted};
  again.round();
  scene.world.store("alice", id(2));
  scene.clock.pause(1min);
  again.round();
  CHECK(scene.mark().unconfirmed == 0);
  CHECK(scene.ledger->saved.size() == 2);
}

TEST_CASE("a fresh node that the hubs call active takes the role, and a fresh passive one does not") {
  Watching active;
  active.hub().active = "node2";
  active.rounds(1);
  CHECK(active.state->kept.role == Role::active);
  CHECK(active.marker->kept);
  Watching passive;
  passive.rounds(1);
  CHECK(passive.state->kept.role == Role::passive);
}
