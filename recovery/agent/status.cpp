#include <algorithm>
#include <utility>

#include "recovery/agent/operation.hpp"
#include "recovery/agent/operation_steps.hpp"
#include "recovery/agent/role_change.hpp"

namespace recovery::agent {
namespace {

DumpsterView view_of(const HubWork& hub, const GroupStatus& group, const Ledger* ledger) {
  DumpsterView view;
  view.hub = hub.address();
  view.group = group;
  view.active = hub.status.active;
  view.term = hub.status.term;
  const Watermark* watermark = ledger == nullptr ? nullptr : ledger->watermark({hub.address(), group.name});
  if (watermark == nullptr) return view;
  view.followed = *watermark;
  view.lag = watermark->unconfirmed == 0
                 ? dumpster::Duration::zero()
                 : std::max(hub.identity.now - watermark->low, dumpster::Duration::zero());
  return view;
}

}  // namespace

StatusReport status(Surroundings& surroundings) {
  OperationSteps steps{surroundings, "status"};
  StatusReport result;
  if (steps.load()) {
    result.state = steps.state();
    steps.survey();
    steps.check_store(OperationSteps::StoreRule::look);
    steps.report().term = steps.highest_term();
    const std::string aside = why_aside(result.state, standing_of(surroundings.marker.get(), result.state));
    for (const HubWork& hub : steps.hubs()) {
      if (!hub.report.reached) continue;
      if (hub.status.active == surroundings.node) result.aside = aside;
      for (const GroupStatus& group : hub.status.groups)
        result.dumpsters.push_back(view_of(hub, group, steps.ledger()));
    }
  }
  steps.state().promote = result.state.promote;
  result.report = steps.finish();
  return result;
}

}  // namespace recovery::agent
