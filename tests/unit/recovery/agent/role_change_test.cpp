#include "recovery/agent/role_change.hpp"

#include <catch2/catch.hpp>

using namespace recovery::agent;

namespace {

State state_of(Role role, std::uint64_t term) {
  State state;
  state.node = "node2";
  state.role = role;
  state.active_term = term;
  state.highest_term = term;
  return state;
}

}  // namespace

TEST_CASE("an active node stays so while no hub has a higher term, hubs that are behind included") {
  const State active = state_of(Role::active, 5);
  CHECK(role_change(active, {}, false) == RoleChange::none);
  CHECK(role_change(active, {{"node2", 5}, {"node1", 4}}, false) == RoleChange::none);
}

TEST_CASE("a higher term of another node anywhere ends the active role, and drops a pending promote") {
  const State active = state_of(Role::active, 5);
  CHECK(role_change(active, {{"node2", 5}, {"node1", 6}}, false) == RoleChange::lose);
  State pending = state_of(Role::passive, 0);
  pending.promote.emplace().term = 5;
  CHECK(role_change(pending, {{"node1", 6}}, false) == RoleChange::lose);
  CHECK(role_change(pending, {{"node1", 5}}, false) == RoleChange::lose);
  CHECK(role_change(pending, {{"node1", 4}, {"node2", 5}}, false) == RoleChange::none);
}

TEST_CASE("a node that the hubs call active is so when nothing speaks of an earlier life") {
  const State unknown = state_of(Role::unknown, 0);
  CHECK(role_change(unknown, {{"node2", 0}}, true) == RoleChange::adopt);
  CHECK(role_change(unknown, {{"node2", 0}}, false) == RoleChange::none);
  CHECK(role_change(unknown, {{"node1", 0}}, true) == RoleChange::none);
  CHECK(role_change(unknown, {{"node2", 0}, {"node1", 0}}, true) == RoleChange::none);
}

TEST_CASE("a demoted node is active again only by a newer activation") {
  const State demoted = state_of(Role::passive, 5);
  CHECK(role_change(demoted, {{"node2", 5}}, true) == RoleChange::none);
  CHECK(role_change(demoted, {{"node2", 7}}, false) == RoleChange::adopt);
  CHECK(role_change(demoted, {{"node1", 7}}, false) == RoleChange::none);
}
