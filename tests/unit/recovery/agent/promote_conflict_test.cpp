#include <catch2/catch.hpp>

#include "fakes.hpp"

using namespace recovery::agent;
using namespace recovery::agent::test;

namespace {

PromoteOptions with_term(std::uint64_t term) {
  PromoteOptions options;
  options.term = term;
  return options;
}

}  // namespace

TEST_CASE("promote chooses its own next term above the highest of all hubs and of the state") {
  Scene scene(2);
  scene.hub(0).term = 4;
  scene.hub(1).term = 6;
  CHECK(scene.promote().term == 7);
  Scene known;
  known.state->kept.highest_term = 11;
  CHECK(known.promote().term == 13);
}

TEST_CASE(
    "a hub that turns out to have a higher term of another node ends promote with 5, and nothing stays "
    "pending") {
  Scene scene(2);
  scene.hub(1).term = 8;
  scene.hub(1).hidden_term = 8;
  scene.hub(0).lines = {line(1, "alice")};
  const Report report = scene.promote();
  CHECK(report.exit_status() == 5);
  CHECK_FALSE(report.conflict.empty());
  CHECK_FALSE(scene.state->kept.promote);
  CHECK(scene.state->kept.highest_term == 8);
  CHECK(scene.state->kept.role == Role::passive);
  CHECK(scene.hub(0).bodies.empty());
}

TEST_CASE("a higher term of this very node, which the state did not know, is passed over once") {
  Scene scene;
  scene.hub().active = "node2";
  scene.hub().term = 5;
  scene.hub().hidden_term = 5;
  scene.hub().lines = {line(1, "alice")};
  const Report report = scene.promote();
  CHECK(report.exit_status() == 0);
  CHECK(report.term == 7);
  CHECK(scene.hub().term == 7);
  CHECK(scene.state->kept.highest_term == 7);
}

TEST_CASE("the cluster manager's term is taken as it is, and refused with 5 when it is outdated") {
  Scene scene;
  scene.hub().term = 40;
  CHECK(scene.promote(with_term(50)).exit_status() == 0);
  CHECK(scene.hub().term == 50);
  CHECK(scene.promote(with_term(45)).exit_status() == 5);
  CHECK(scene.hub().term == 50);
  Scene other;
  other.hub().term = 40;
  CHECK(other.promote(with_term(40)).exit_status() == 5);
  CHECK(other.hub().active == "node1");
}

TEST_CASE("the same term of the same node again is no conflict") {
  Scene scene;
  CHECK(scene.promote(with_term(9)).exit_status() == 0);
  CHECK(scene.promote(with_term(9)).exit_status() == 0);
}

TEST_CASE("a promote after a finished one has a new term, one after an unfinished one goes on") {
  Scene scene;
  CHECK(scene.promote().term == 1);
  CHECK(scene.promote().term == 3);
  scene.inventory->fails_from = 0;
  scene.hub().lines = {line(1, "alice")};
  CHECK(scene.promote().term == 5);
  scene.inventory->fails_from = -1;
  CHECK(scene.promote().term == 5);
  CHECK(scene.world.inventory().copies("alice", id(1)) == 1);
}

TEST_CASE("an unfinished promote that another node has overtaken does not go on") {
  Scene scene;
  scene.hub().lines = {line(1, "alice")};
  scene.inventory->fails_from = 0;
  CHECK(scene.promote().term == 1);
  scene.hub().active = "node1";
  scene.hub().term = 2;
  const Report report = scene.fill();
  CHECK(report.exit_status() == 5);
  CHECK_FALSE(scene.state->kept.promote);
  CHECK(scene.hub().active == "node1");
  CHECK(scene.hub().term == 2);
}

TEST_CASE("a node that is overtaken when all is filled ends with 5, and nothing stays pending") {
  Scene scene;
  scene.hub().lines = {line(1, "alice")};
  scene.hub().before_recovered = [&scene] {
    scene.hub().active = "node1";
    scene.hub().term = 2;
  };
  CHECK(scene.promote().exit_status() == 5);
  CHECK_FALSE(scene.state->kept.promote);
  CHECK(scene.state->kept.role == Role::passive);
  CHECK(scene.state->kept.highest_term == 2);
}

TEST_CASE("of several outcomes the exit status is the first of 5, 1, 4, 3, 2") {
  Report report;
  HubReport hub;
  CHECK(report.exit_status() == 0);
  hub.trouble = "out of reach";
  report.hubs.push_back(hub);
  CHECK(report.exit_status() == 2);
  report.hubs[0].covered = false;
  CHECK(report.exit_status() == 3);
  report.hubs[0].missing = 1;
  CHECK(report.exit_status() == 4);
  report.hubs[0].failed_call = true;
  CHECK(report.exit_status() == 1);
  report.conflict = "node1";
  CHECK(report.exit_status() == 5);
}
