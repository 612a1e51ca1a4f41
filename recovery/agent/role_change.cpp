#include "recovery/agent/role_change.hpp"

#include <algorithm>

namespace recovery::agent {

RoleChange role_change(const State& state, const std::vector<ClusterView>& views, bool fresh) {
  const auto highest = std::max_element(views.begin(), views.end(),
                                        [](const auto& a, const auto& b) { return a.term < b.term; });
  if (highest == views.end()) return RoleChange::none;
  const bool own = std::all_of(views.begin(), views.end(), [&](const ClusterView& view) {
    return view.term < highest->term || view.active == state.node;
  });
  if (state.promote && state.promote->term != 0) {
    const bool beaten = highest->term > state.promote->term || (highest->term == state.promote->term && !own);
    return beaten ? RoleChange::lose : RoleChange::none;
  }
  if (state.role == Role::active) {
    if (highest->term < state.active_term) return RoleChange::none;
    if (!own) return RoleChange::lose;
    return highest->term > state.active_term ? RoleChange::adopt : RoleChange::none;
  }
  if (!own) return RoleChange::none;
  const bool first = fresh && state.role == Role::unknown;
  return first || highest->term > state.highest_term ? RoleChange::adopt : RoleChange::none;
}

std::string why_aside(const State& state, const dumpster::Result<StoreStanding>& standing) {
  if (!standing) return standing.error().detail;
  if (*standing == StoreStanding::foreign) return "the mail store is not the one that this agent knew";
  if (state.role == Role::passive && !state.promote)
    return "it is passive until a promote: it was demoted, or its mail store turned out to be another one";
  return {};
}

}  // namespace recovery::agent
