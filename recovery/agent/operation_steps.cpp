#include "recovery/agent/operation_steps.hpp"

#include <algorithm>
#include <utility>

#include "recovery/agent/coverage.hpp"
#include "recovery/agent/role_change.hpp"
#include "recovery/agent/terms.hpp"

namespace recovery::agent {

OperationSteps::OperationSteps(Surroundings& surroundings, std::string operation)
    : surroundings_(surroundings) {
  report_.operation = std::move(operation);
  report_.cluster = surroundings.cluster;
  report_.node = surroundings.node;
  for (const auto& client : surroundings.hubs) {
    HubWork hub;
    hub.client = client.get();
    hub.report.address = client->address();
    hub.going = !surroundings.skips || !surroundings.skips(client->address());
    hubs_.push_back(std::move(hub));
  }
}

bool OperationSteps::fail(std::string error) {
  report_.error = std::move(error);
  return false;
}

bool OperationSteps::load() {
  auto state = surroundings_.state->load();
  if (!state) return fail(state.error().detail);
  state_ = std::move(*state);
  // A hub that is not configured any more is nobody's concern.
  std::erase_if(state_.never_asked, [this](const auto& never) {
    return std::none_of(hubs_.begin(), hubs_.end(),
                        [&](const HubWork& hub) { return hub.address() == never.first; });
  });
  choose_contact();
  return true;
}

void OperationSteps::choose_contact() {
  const bool in_touch = why_aside(state_, standing_of(surroundings_.marker.get(), state_)).empty();
  for (const HubWork& hub : hubs_)
    hub.client->set_in_touch(in_touch);
}

bool OperationSteps::save() {
  const auto saved = surroundings_.state->save(state_);
  return saved ? true : fail(saved.error().detail);
}

void OperationSteps::ask(HubWork& hub) {
  AgentClock& clock = *surroundings_.clock;
  const auto identity = patiently(clock, surroundings_.wait, [&] { return hub.client->hub(); });
  if (!identity) return hub.give_up(identity.error());
  hub.identity = *identity;
  hub.ahead = clock.now() - identity->now;
  const auto status =
      patiently(clock, surroundings_.wait, [&] { return hub.client->cluster(surroundings_.cluster); });
  if (!status) return hub.give_up(status.error());
  hub.status = *status;
  hub.report.reached = true;
}

bool OperationSteps::survey() {
  surroundings_.tell("asking " + std::to_string(hubs_.size()) + " hubs how the cluster stands");
  side_by_side(hubs_, [this](HubWork& hub) { ask(hub); });
  return keep_news();
}

bool OperationSteps::keep_news() {
  const HubWork* first = nullptr;
  for (HubWork& hub : hubs_) {
    if (!hub.going) continue;
    if (first != nullptr && first->status.nodes != hub.status.nodes) {
      return fail("the hubs " + first->address() + " and " + hub.address() + " list the nodes of " +
                  surroundings_.cluster + " differently");
    }
    if (first == nullptr) first = &hub;
    const auto before = state_.hubs.find(hub.address());
    hub.known = met(before == state_.hubs.end() ? nullptr : &before->second, hub.identity);
    if (const auto retention = retention_of(hub.status)) hub.known.retention = retention;
    state_.hubs[hub.address()] = hub.known;
  }
  if (first == nullptr) return true;
  state_.nodes = first->status.nodes;
  const auto& nodes = state_.nodes;
  if (std::find(nodes.begin(), nodes.end(), surroundings_.node) == nodes.end()) {
    return fail("the hubs know no node " + surroundings_.node + " of " + surroundings_.cluster);
  }
  return true;
}

std::uint64_t OperationSteps::highest_term() const {
  std::uint64_t highest = state_.highest_term;
  for (const HubWork& hub : hubs_) {
    if (hub.report.reached) highest = std::max(highest, hub.status.term);
  }
  return highest;
}

const HubWork* OperationSteps::opponent(std::uint64_t term) const {
  for (const HubWork& hub : hubs_) {
    if (!hub.report.reached) continue;
    const bool other = hub.status.active != surroundings_.node && hub.status.term >= term;
    if (other || hub.status.term > term) return &hub;
  }
  return nullptr;
}

bool OperationSteps::lose(const HubWork& hub) {
  report_.conflict = hub.address() + " is at term " + std::to_string(hub.status.term) + " with " +
                     hub.status.active + " active";
  state_.highest_term = highest_term();
  state_.drop_pending();
  if (hub.status.active != surroundings_.node) become_passive();
  save();
  return false;
}

void OperationSteps::activate_on(HubWork& hub) {
  const PendingPromote& promote = *state_.promote;
  const auto answer = patiently(*surroundings_.clock, surroundings_.wait, [&] {
    return hub.client->activate(surroundings_.cluster, surroundings_.node, promote.term, promote.kind);
  });
  if (answer) {
    hub.report.activated = true;
    // Counted from when the promote was ordered, in the hub's time: for a late hub, too, the gap lies before
    // that.
    hub.activated_at = answer->now;
    hub.from = window_start(hub, answer->now, promote.started);
    return;
  }
  const HubError& error = answer.error();
  if (error.status == 409 && error.term) {
    hub.status.term = *error.term;
    hub.status.active = error.active;
    hub.conflict = "at a higher term";
  }
  hub.give_up(error);
}

/// A refusal over a higher term of this very node: its own activation under a number that the state does not
/// know. Once, a still higher number is chosen.
bool OperationSteps::retry_above_own_terms() {
  const bool others = std::any_of(hubs_.begin(), hubs_.end(), [this](const HubWork& hub) {
    return !hub.conflict.empty() && hub.status.active != surroundings_.node;
  });
  if (others) return false;
  const auto term = own_next_term(state_, surroundings_.node, highest_term());
  if (!term) return false;
  state_.promote->term = *term;
  state_.highest_term = *term;
  state_.orders.clear();
  for (auto& [address, progress] : state_.promote->hubs)
    progress = HubProgress{};
  for (HubWork& hub : hubs_) {
    if (!hub.report.reached) continue;
    hub.going = true;
    hub.report.trouble.clear();
    hub.report.failed_call = false;
    hub.conflict.clear();
  }
  return true;
}

bool OperationSteps::activate() {
  choose_contact();
  for (int attempt = 0;; ++attempt) {
    // Durable before the first hub hears it: a node that forgot its own term could claim an older one later.
    if (!save()) return false;
    report_.term = state_.promote->term;
    surroundings_.tell("activating " + surroundings_.node + " with term " + std::to_string(report_.term));
    side_by_side(hubs_, [this](HubWork& hub) { activate_on(hub); });
    const auto refusal =
        std::find_if(hubs_.begin(), hubs_.end(), [](const HubWork& hub) { return !hub.conflict.empty(); });
    if (refusal == hubs_.end()) break;
    if (attempt > 0 || !retry_above_own_terms()) return lose(*refusal);
  }
  const PendingPromote& promote = *state_.promote;
  if (state_.role != Role::active || state_.active_term != promote.term) state_.active_since.clear();
  state_.role = Role::active;
  state_.active_term = promote.term;
  state_.active_kind = promote.kind;
  state_.active_started = promote.started;
  for (const HubWork& hub : hubs_) {
    if (!hub.report.activated) continue;
    state_.promote->hubs[hub.address()].activated = true;
    if (hub.activated_at != Instant{}) state_.active_since.emplace(hub.address(), hub.activated_at);
  }
  return save();
}

bool OperationSteps::fence() {
  report_.unfenced = !surroundings_.quiesce;
  if (surroundings_.quiesce) {
    surroundings_.tell("waiting for the quiesce command");
    const auto quiet = surroundings_.quiesce();
    if (!quiet) return fail("quiesce failed, so nothing was compared: " + quiet.error().detail);
  }
  // A server process may store after its connection broke.
  if (surroundings_.settle > dumpster::Duration::zero() &&
      !surroundings_.clock->pause(surroundings_.settle)) {
    return fail("interrupted");
  }
  return true;
}

bool OperationSteps::fill_from(Filling::Options options) {
  options.save = [this] { return save(); };
  options.standpoint.node = surroundings_.node;
  if (ledger_ != nullptr) options.ledger = surroundings_.ledger.get();
  Filling filling{surroundings_, state_, report_, hubs_, std::move(options)};
  return filling.run();
}

bool OperationSteps::complete() {
  const bool any = std::any_of(hubs_.begin(), hubs_.end(), [](const HubWork& hub) { return hub.going; });
  if (!any) return true;
  if (!fence() || !keep_for_late_hubs()) return false;
  Filling::Options options;
  options.standpoint.term = state_.promote->term;
  options.standpoint.confirmed = ledger_;
  options.patience = patience();
  if (!fill_from(std::move(options))) {
    if (!report_.conflict.empty()) {
      state_.drop_pending();
      become_passive();
      save();
    }
    return false;
  }
  side_by_side(hubs_, [this](HubWork& hub) { tell_recovered(hub); });
  const auto refusal =
      std::find_if(hubs_.begin(), hubs_.end(), [](const HubWork& hub) { return !hub.conflict.empty(); });
  if (refusal != hubs_.end()) return lose(*refusal);
  for (const HubWork& hub : hubs_) {
    if (!hub.report.filled) continue;
    state_.promote->hubs[hub.address()].filled = true;
    state_.never_asked.erase(hub.address());
  }
  if (state_.promote->done()) state_.promote.reset();
  return save();
}

dumpster::Duration OperationSteps::patience() const {
  return std::max<dumpster::Duration>(surroundings_.patience, 2 * surroundings_.settle);
}

void OperationSteps::tell_recovered(HubWork& hub) {
  const std::uint64_t term = state_.promote->term;
  const auto told = patiently(*surroundings_.clock, surroundings_.wait, [&] {
    return hub.client->recovered(surroundings_.cluster, surroundings_.node, term);
  });
  if (told) {
    hub.report.filled = true;
    return;
  }
  // A refusal may be news of a higher term.
  if (told.error().status == 409) {
    const auto status = hub.client->cluster(surroundings_.cluster);
    if (status && status->term > term) hub.conflict = "at a higher term";
    if (status) hub.status = *status;
  }
  hub.give_up(told.error());
}

Report OperationSteps::finish() {
  for (HubWork& hub : hubs_) {
    if (state_.promote) {
      const auto progress = state_.promote->hubs.find(hub.address());
      hub.report.remembered = progress != state_.promote->hubs.end() && !progress->second.settled();
    }
    if (const auto never = state_.never_asked.find(hub.address()); never != state_.never_asked.end()) {
      hub.report.covered = false;
      hub.report.coverage = why_never_asked(never->second);
    }
    report_.hubs.push_back(std::move(hub.report));
  }
  return std::move(report_);
}

std::optional<std::uint64_t> own_next_term(const State& state, const std::string& node,
                                           std::uint64_t highest) {
  const auto place = std::find(state.nodes.begin(), state.nodes.end(), node);
  if (place == state.nodes.end()) return std::nullopt;
  return next_term(highest, static_cast<std::size_t>(place - state.nodes.begin()), state.nodes.size());
}

}  // namespace recovery::agent
