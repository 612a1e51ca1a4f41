#pragma once

#include <string>
#include <vector>

#include "recovery/agent/state.hpp"
#include "recovery/agent/store_marker.hpp"

namespace recovery::agent {

/// How one hub sees the cluster.
struct ClusterView {
  std::string active;
  std::uint64_t term = 0;
};

/// What an agent that watches makes of the hubs' views.
enum class RoleChange : std::uint8_t {
  none,
  lose,   ///< a higher term is somewhere: what was pending is dropped, and the node is passive
  adopt,  ///< somebody else made this node active, or it has been from the beginning
};

/// `fresh`: neither state nor mail store knows of an earlier life. An activation of this node counts only
/// when it is newer than all that the state has seen: what was demoted stays so. Pure.
RoleChange role_change(const State& state, const std::vector<ClusterView>& views, bool fresh);

/// Why this agent may not act for its node, should a hub call that active: the mail store is not there or
/// another one, or the node is passive until a promote. Empty when it may. Pure.
std::string why_aside(const State& state, const dumpster::Result<StoreStanding>& standing);

}  // namespace recovery::agent
