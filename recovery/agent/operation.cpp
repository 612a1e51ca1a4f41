#include "recovery/agent/operation.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include "recovery/agent/coverage.hpp"
#include "recovery/agent/operation_steps.hpp"

namespace recovery::agent {
namespace {

using dumpster::ActivationKind;

/// An unfinished promote of this node that nobody has overtaken goes on under its term.
bool goes_on(OperationSteps& steps, const PromoteOptions& options) {
  const auto& pending = steps.state().promote;
  if (!pending || pending->term == 0) return false;
  if (options.term && *options.term != pending->term) return false;
  return steps.opponent(pending->term) == nullptr;
}

/// What a cluster manager's term is refused for: a hub or the agent has seen a higher one, or another node's.
bool is_outdated(OperationSteps& steps, std::uint64_t term) {
  return term < steps.highest_term() || steps.opponent(term) != nullptr;
}

bool choose_term(OperationSteps& steps, const Surroundings& surroundings, const PromoteOptions& options) {
  State& state = steps.state();
  if (goes_on(steps, options)) return true;
  if (options.term && is_outdated(steps, *options.term)) {
    const HubWork* hub = steps.opponent(*options.term);
    if (hub != nullptr) return steps.lose(*hub);
    steps.report().conflict = "this agent has seen term " + std::to_string(steps.highest_term());
    return false;
  }
  PendingPromote promote;
  promote.kind = options.planned ? ActivationKind::lossless : ActivationKind::lossy;
  promote.started = surroundings.clock->now();
  for (const HubWork& hub : steps.hubs())
    promote.hubs[hub.address()] = HubProgress{};
  const auto own = own_next_term(state, surroundings.node, steps.highest_term());
  promote.term = options.term ? *options.term : own.value_or(0);
  if (promote.term != 0) state.highest_term = std::max(state.highest_term, promote.term);
  state.drop_pending();
  state.promote = std::move(promote);
  return true;
}

/// A hub that is not configured any more is not waited for; one that is new is asked, too.
void follow_configuration(OperationSteps& steps) {
  auto& pending = steps.state().promote->hubs;
  std::map<std::string, HubProgress> configured;
  for (const HubWork& hub : steps.hubs())
    configured[hub.address()] = pending[hub.address()];
  pending = std::move(configured);
}

/// Hubs on which the promote is done already are left alone.
void skip_filled(OperationSteps& steps) {
  for (HubWork& hub : steps.hubs()) {
    const HubProgress& progress = steps.state().promote->hubs[hub.address()];
    if (!progress.filled) continue;
    hub.going = false;
    hub.report.activated = progress.activated;
    hub.report.filled = true;
    hub.report.trouble.clear();
    hub.report.failed_call = false;
  }
}

/// From what the hubs say of themselves: no listing, no inventory.
void judge_coverage_alone(OperationSteps& steps) {
  for (HubWork& hub : steps.hubs()) {
    for (const GroupStatus& group : hub.status.groups) {
      if (!hub.going) continue;
      if (!group.covered_from) {
        HubError error;
        error.kind = HubError::Kind::malformed;
        error.detail = "the hub does not say how far back it covers " + group.name;
        hub.give_up(error);
        continue;
      }
      ListingEnd end;
      end.covered_from = *group.covered_from;
      end.complete = end.covered_from <= hub.open_since;
      end.store_created = hub.identity.store_created;
      const std::string gap = gap_in_coverage(end, hub.open_since, hub.known);
      if (gap.empty()) continue;
      hub.report.covered = false;
      hub.report.coverage = "storage group " + group.name + ": " + gap;
    }
  }
  steps.report().notes.push_back("coverage alone: nothing was compared");
}

Report rehearse(OperationSteps& steps, const Surroundings& surroundings, const PromoteOptions& options) {
  Filling::Options filling;
  filling.dry_run = true;
  const auto own = own_next_term(steps.state(), surroundings.node, steps.highest_term());
  filling.standpoint.term = options.term ? *options.term : own.value_or(0);
  steps.report().term = filling.standpoint.term;
  steps.report().dry_run = true;
  if (options.term && is_outdated(steps, *options.term))
    steps.report().conflict = "term " + std::to_string(steps.highest_term()) + " has been seen";
  filling.standpoint.confirmed = steps.ledger();
  for (HubWork& hub : steps.hubs())
    hub.from = steps.window_start(hub, hub.identity.now, surroundings.clock->now());
  if (options.fill) {
    steps.fill_from(std::move(filling));
  } else {
    judge_coverage_alone(steps);
  }
  steps.state().promote.reset();
  return steps.finish();
}

}  // namespace

Report promote(Surroundings& surroundings, const PromoteOptions& options, bool keep_items) {
  using Rule = OperationSteps::StoreRule;
  OperationSteps steps{surroundings, "promote"};
  steps.report().keep_items = keep_items;
  if (!steps.load() || !steps.survey()) return steps.finish();
  if (options.dry_run) {
    if (!steps.check_store(Rule::look)) return steps.finish();
    return rehearse(steps, surroundings, options);
  }
  if (!steps.check_store(options.new_store ? Rule::take_bare : Rule::take_over)) return steps.finish();
  if (!choose_term(steps, surroundings, options)) return steps.finish();
  if (steps.state().promote->term == 0) {
    // No hub was reached and none ever was: the order is kept, and `fill` chooses the term.
    steps.save();
    return steps.finish();
  }
  follow_configuration(steps);
  skip_filled(steps);
  if (!steps.activate() || !options.fill) return steps.finish();
  steps.complete();
  return steps.finish();
}

Report fill(Surroundings& surroundings, bool keep_items) {
  OperationSteps steps{surroundings, "fill"};
  steps.report().keep_items = keep_items;
  if (!steps.load()) return steps.finish();
  State& state = steps.state();
  if (!state.promote) {
    steps.report().notes.push_back("nothing is pending");
    steps.report().term = state.highest_term;
    for (HubWork& hub : steps.hubs())
      hub.going = false;
    return steps.finish();
  }
  if (!steps.survey() || !steps.check_store(OperationSteps::StoreRule::require_own)) return steps.finish();
  if (state.promote->term == 0) {
    // A term that was never chosen gives way to whatever has happened since.
    if (const HubWork* hub = steps.opponent(state.highest_term + 1)) {
      steps.lose(*hub);
      return steps.finish();
    }
    const auto own = own_next_term(state, surroundings.node, steps.highest_term());
    if (!own) {
      steps.save();
      return steps.finish();
    }
    state.promote->term = *own;
    state.highest_term = *own;
  }
  if (const HubWork* hub = steps.opponent(state.promote->term)) {
    steps.lose(*hub);
    return steps.finish();
  }
  follow_configuration(steps);
  steps.give_up_on_late_hubs();
  if (!state.promote) {
    steps.save();
    return steps.finish();
  }
  skip_filled(steps);
  if (steps.activate()) steps.complete();
  return steps.finish();
}

Report fill_window(Surroundings& surroundings, const WindowOptions& options, bool keep_items) {
  OperationSteps steps{surroundings, "fill"};
  steps.report().keep_items = keep_items;
  if (!steps.load() || !steps.survey()) return steps.finish();
  if (!steps.check_store(OperationSteps::StoreRule::look)) return steps.finish();
  const std::uint64_t term = steps.highest_term();
  for (const HubWork& hub : steps.hubs()) {
    if (hub.report.reached && hub.status.active != surroundings.node) {
      steps.report().conflict = hub.address() + " is at term " + std::to_string(hub.status.term) + " with " +
                                hub.status.active + " active";
      return steps.finish();
    }
    if (hub.report.reached && hub.status.term != term) {
      steps.fail("the hubs do not agree about the term: promote this node first");
      return steps.finish();
    }
  }
  for (HubWork& hub : steps.hubs()) {
    hub.from = options.from;
    hub.open_since = options.from;
    hub.report.activated = hub.report.reached;
  }
  Filling::Options filling;
  filling.standpoint.term = term;
  filling.standpoint.judge_own = true;
  filling.mailboxes = options.mailboxes;
  filling.patience = steps.patience();
  steps.report().term = term;
  steps.report().unfenced = !surroundings.quiesce;
  if (steps.fill_from(std::move(filling))) {
    for (HubWork& hub : steps.hubs())
      hub.report.filled = hub.going;
  }
  return steps.finish();
}

Report demote(Surroundings& surroundings) {
  OperationSteps steps{surroundings, "demote"};
  for (HubWork& hub : steps.hubs())
    hub.going = false;
  if (!steps.load()) return steps.finish();
  State& state = steps.state();
  if (state.promote) steps.report().notes.push_back("a promote that was not finished is dropped");
  state.drop_pending();
  // Also of a node that was passive already: its store may have been resynchronised.
  renew_marker(surroundings.marker.get(), state, surroundings.clock->now());
  state.role = Role::passive;
  steps.report().term = state.highest_term;
  steps.save();
  Report report = steps.finish();
  report.hubs.clear();
  return report;
}

}  // namespace recovery::agent
