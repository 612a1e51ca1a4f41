#include "recovery/agent/watch.hpp"

#include <algorithm>
#include <utility>

#include "metrics/log.hpp"
#include "recovery/agent/coverage.hpp"
#include "recovery/agent/operation.hpp"
#include "recovery/agent/role_change.hpp"

namespace recovery::agent {

using dumpster::Duration;
using namespace std::chrono_literals;

Watch::Watch(Surroundings& surroundings, WatchSettings settings, metrics::AgentMetrics& metrics)
    : surroundings_(surroundings),
      settings_(settings),
      metrics_(metrics),
      tracker_(surroundings),
      absence_(surroundings, tracker_) {
  surroundings_.skips = [this](const std::string& address) {
    const auto away = away_.find(address);
    return away != away_.end() && surroundings_.clock->elapsed() < away->second.until;
  };
}

bool Watch::round() {
  const Duration begin = surroundings_.clock->elapsed();
  OperationSteps steps{surroundings_, "watch"};
  const bool done = work(steps);
  // A round that had to give way to an operation is none.
  if (!done && !surroundings_.clock->pause(Duration::zero())) return false;
  if (!done && !steps.report().error.empty()) trouble(steps.report().error);
  if (done) trouble("");
  metrics_.round_ended(done);
  show(steps, surroundings_.clock->elapsed() - begin);
  return done;
}

bool Watch::trouble(const std::string& what) {
  if (what == trouble_) return false;
  trouble_ = what;
  if (what.empty()) {
    metrics::log_info("watch works again");
  } else {
    metrics::log_error("watch", {{"reason", what}});
  }
  return false;
}

bool Watch::work(OperationSteps& steps) {
  if (!steps.load()) return false;
  const State before = steps.state();
  if (!steps.survey()) return false;
  back_off(steps);
  if (!settle_role(steps)) return false;
  if (!settle_store(steps)) {
    // What has been seen of terms is kept, whatever the store is like.
    if (steps.state() != before) steps.save();
    return false;
  }
  give_up_on_late_hubs(steps);
  bring_hubs_up(steps);
  if (steps.state() != before && !steps.save()) return false;
  if (steps.state().promote) return finish_pending(steps);
  if (steps.state().role == Role::active && !settle_in_doubt(steps)) return false;
  if (steps.ledger() == nullptr) return true;
  return track(steps) && keep_ledger(steps);
}

/// A hub that is away is asked again after growing pauses.
void Watch::back_off(OperationSteps& steps) {
  for (const HubWork& hub : steps.hubs()) {
    if (hub.report.reached) {
      if (away_.erase(hub.address()) > 0) metrics::log_info("hub is back", {{"hub", hub.address()}});
    } else if (!hub.report.trouble.empty()) {
      BackOff& away = away_[hub.address()];
      if (away.pause == Duration::zero())
        metrics::log_warning("hub is away", {{"hub", hub.address()}, {"reason", hub.report.trouble}});
      away.pause = std::clamp<Duration>(away.pause * 2, settings_.poll, 60s);
      away.until = surroundings_.clock->elapsed() + away.pause;
    }
  }
}

bool Watch::settle_role(OperationSteps& steps) {
  State& state = steps.state();
  std::vector<ClusterView> views;
  for (const HubWork& hub : steps.hubs()) {
    if (hub.report.reached) views.push_back({hub.status.active, hub.status.term});
  }
  const auto standing = standing_of(surroundings_.marker.get(), state);
  const bool fresh = standing && (*standing == StoreStanding::first || *standing == StoreStanding::unmarked);
  const RoleChange change = role_change(state, views, fresh);
  if (change == RoleChange::lose) {
    metrics::log_warning("active role lost", {{"term", steps.highest_term()}});
    state.drop_pending();
    steps.become_passive();
  } else if (change == RoleChange::adopt) {
    adopt(steps);
  }
  if (state.role == Role::unknown && !views.empty()) state.role = Role::passive;
  state.highest_term = steps.highest_term();
  steps.choose_contact();
  // Durable before anything is done in the role.
  return change == RoleChange::none || steps.save();
}

void Watch::adopt(OperationSteps& steps) {
  State& state = steps.state();
  state.role = Role::active;
  state.active_term = steps.highest_term();
  state.active_kind = dumpster::ActivationKind::lossy;
  state.active_started = surroundings_.clock->now();
  state.orders.clear();
  state.never_asked.clear();
  state.active_since.clear();
  // What was delivered before this moment was not seen to be under this marker.
  for (const HubWork& hub : steps.hubs()) {
    if (hub.report.reached && hub.status.term == state.active_term)
      state.active_since[hub.address()] = hub.identity.now;
  }
  metrics::log_info("active by the hubs' word", {{"term", state.active_term}});
}

bool Watch::settle_store(OperationSteps& steps) {
  if (!steps.check_store(OperationSteps::StoreRule::look)) return false;
  if (steps.standing() == StoreStanding::foreign) {
    State& state = steps.state();
    metrics::log_error("the mail store is not the one that was watched: confirmations are void",
                       {{"role", to_string(state.role)}});
    // Whatever was pending was decided for another store.
    state.drop_pending();
    state.role = Role::passive;
  }
  const bool taken = steps.standing() == StoreStanding::own || steps.standing() == StoreStanding::unmarked ||
                     steps.check_store(OperationSteps::StoreRule::take_over);
  steps.report().notes.clear();
  return taken;
}

bool Watch::is_current(const State& state, const HubWork& hub) const {
  return hub.going && hub.status.active == surroundings_.node && hub.status.term == state.active_term;
}

void Watch::give_up_on_late_hubs(OperationSteps& steps) {
  for (const std::string& address : steps.give_up_on_late_hubs())
    metrics::log_error("a hub was never asked",
                       {{"hub", address}, {"reason", why_never_asked(steps.state().never_asked[address])}});
}

/// A hub that is behind gets the activation, and is filled like one that promote did not reach.
void Watch::bring_hubs_up(OperationSteps& steps) {
  State& state = steps.state();
  if (state.role != Role::active || state.promote) return;
  for (const HubWork& hub : steps.hubs()) {
    // One that was away when this node became active.
    if (is_current(state, hub)) state.active_since.emplace(hub.address(), hub.identity.now);
  }
  PendingPromote promote;
  promote.term = state.active_term;
  promote.kind = state.active_kind;
  promote.started = state.active_started;
  promote.inventory_kept = true;
  bool behind = false;
  for (const HubWork& hub : steps.hubs()) {
    const bool given_up = state.never_asked.contains(hub.address());
    const bool late = hub.report.reached && (hub.status.term < state.active_term || given_up);
    behind = behind || late;
    promote.hubs[hub.address()] = {!late, !late};
    if (late)
      metrics::log_warning("hub is behind: activating", {{"hub", hub.address()}, {"term", hub.status.term}});
  }
  if (behind) state.promote = std::move(promote);
}

bool Watch::finish_pending(OperationSteps& steps) {
  const State& state = steps.state();
  const bool reached = std::any_of(steps.hubs().begin(), steps.hubs().end(), [&](const HubWork& hub) {
    const auto progress = state.promote->hubs.find(hub.address());
    return hub.report.reached && (progress == state.promote->hubs.end() || !progress->second.filled);
  });
  bool tracked = true;
  if (reached && surroundings_.clock->elapsed() >= next_fill_) {
    const Report report = fill(surroundings_);
    const bool failed = report.exit_status() == 1;
    metrics::log(report.exit_status() == 0 ? metrics::Severity::info : metrics::Severity::warning, "fill",
                 {{"status", report.exit_status()}, {"report", to_json(report)}});
    fill_pause_ = failed ? std::clamp<Duration>(fill_pause_ * 2, settings_.poll, 60s) : Duration::zero();
    next_fill_ = surroundings_.clock->elapsed() + fill_pause_;
    if (failed && !report.error.empty()) return trouble("fill: " + report.error);
    return !failed;
  }
  // While a hub is away, life with the others goes on.
  if (state.role == Role::active) tracked = settle_in_doubt(steps);
  if (steps.ledger() == nullptr || !tracked) return tracked;
  return track(steps) && keep_ledger(steps);
}

}  // namespace recovery::agent
