#include <algorithm>
#include <utility>

#include "metrics/log.hpp"
#include "recovery/agent/role_change.hpp"
#include "recovery/agent/watch.hpp"

namespace recovery::agent {

using dumpster::Duration;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t mailboxes_in_round = 500;
constexpr std::size_t most_entries = 1'000'000;  ///< of the ledger: about 100 MB

}  // namespace

/// As evidence goes: only when `settle` has passed since the activation and since the outcome became unknown.
bool Watch::settle_in_doubt(OperationSteps& steps) {
  State& state = steps.state();
  bool any = !state.orders.empty();
  std::vector<HubWork*> others;
  for (HubWork& hub : steps.hubs()) {
    const auto since = state.active_since.find(hub.address());
    const bool settled =
        since != state.active_since.end() && hub.identity.now >= since->second + surroundings_.settle;
    const bool ours = is_current(state, hub) && settled;
    if (hub.going && !ours) others.push_back(&hub);
    for (const GroupStatus& group : hub.status.groups)
      any = any || (ours && group.in_doubt > 0);
  }
  if (!any) return true;
  for (HubWork* hub : others)
    hub->going = false;
  for (HubWork& hub : steps.hubs())
    hub.from = hub.open_since = hub.identity.now;  // nothing but what is in doubt
  Filling::Options options;
  options.standpoint.term = state.active_term;
  options.standpoint.confirmed = steps.ledger();
  const bool filled = steps.fill_from(std::move(options));
  std::size_t present = 0;
  std::size_t delivered = 0;
  for (HubWork& hub : steps.hubs()) {
    present += hub.report.ended_present;
    delivered += hub.report.ended_delivered;
    if (hub.report.missing > 0)
      metrics::log_warning("delivered again, and not in the mailbox",
                           {{"hub", hub.address()}, {"recipients", hub.report.missing}});
  }
  for (HubWork* hub : others)
    hub->going = true;
  metrics_.settled(present, delivered);
  if (present + delivered > 0)
    metrics::log_info("in doubt settled",
                      {{"recipients", present + delivered}, {"delivered_again", delivered}});
  if (!filled && !steps.report().conflict.empty()) return true;  // the next survey sees the higher term
  return filled;
}

bool Watch::track(OperationSteps& steps) {
  State& state = steps.state();
  tracker_.use(*steps.ledger());
  for (HubWork& hub : steps.hubs()) {
    // A window that is still to be filled is not moved.
    if (state.promote && !state.promote->hubs[hub.address()].filled) hub.going = false;
    if (hub.going) tracker_.prepare(hub);
  }
  side_by_side(steps.hubs(), [this](HubWork& hub) {
    for (const GroupStatus& group : hub.status.groups) {
      const auto followed = tracker_.follow(hub, group.name);
      if (!followed) return hub.give_up(followed.error());
    }
  });
  const auto look = tracker_.look(mailboxes_in_round, settings_.poll);
  if (!look) return steps.fail("the inventory cannot be taken: " + look.error().detail);
  if (*look) metrics_.confirmed((*look)->confirmed);
  if (state.role != Role::active) {
    report_replicated(steps);
    return true;
  }
  Absence::Standing standing;
  standing.node = surroundings_.node;
  standing.term = state.active_term;
  standing.since = &state.active_since;
  if (*look) absence_.judge(**look, *steps.ledger(), standing);
  if (const auto swept = absence_.sweep(*steps.ledger(), standing); !swept)
    return steps.fail("the inventory cannot be taken: " + swept.error().detail);
  const std::size_t absent = absence_.report(steps.hubs(), standing);
  metrics_.absent(absent);
  if (absent > 0) metrics::log_info("absent", {{"recipients", absent}});
  return true;
}

bool Watch::keep_ledger(OperationSteps& steps) {
  tracker_.mark();
  const Duration now = surroundings_.clock->elapsed();
  dumpster::Result<void> kept = surroundings_.ledger->save();
  if (kept && now >= next_compaction_) {
    next_compaction_ = now + 10min;
    std::map<DumpsterName, Instant> keep_from;
    for (const auto& [name, followed] : tracker_.dumpsters()) {
      if (!followed.primed) continue;
      keep_from[name] =
          std::min(followed.mark.low - surroundings_.margin, followed.now - surroundings_.lookback);
    }
    // What was kept for hubs that were away.
    if (!steps.state().promote) keep_from[{}] = surroundings_.clock->now() - surroundings_.lookback;
    kept = surroundings_.ledger->compact(keep_from, most_entries);
  }
  return kept ? true : steps.fail("the ledger cannot be kept: " + kept.error().detail);
}

/// Behind the ledger's save: what is reported is durable here.
void Watch::report_replicated(OperationSteps& steps) {
  if (!settings_.report_replicated) return;
  tracker_.mark();
  if (!surroundings_.ledger->save()) return;
  for (HubWork& hub : steps.hubs()) {
    if (!hub.going || hub.status.active == surroundings_.node) continue;
    for (const GroupStatus& group : hub.status.groups) {
      const DumpsterName name{hub.address(), group.name};
      const Watermark& mark = tracker_.dumpsters()[name].mark;
      if (mark.low <= replicated_[name] || mark.low == Instant{}) continue;
      const auto told = hub.client->replicated({surroundings_.cluster, group.name}, surroundings_.node,
                                               mark.low - std::chrono::microseconds{1});
      if (told) {
        replicated_[name] = mark.low;
      } else {
        metrics::log_warning("replication feedback",
                             {{"hub", hub.address()}, {"reason", told.error().detail}});
        return;
      }
    }
  }
}

void Watch::show(OperationSteps& steps, Duration took) {
  const State& state = steps.state();
  std::size_t reached = 0;
  for (const HubWork& hub : steps.hubs())
    reached += hub.report.reached ? 1 : 0;
  std::size_t pending = 0;
  if (state.promote) {
    for (const auto& [address, progress] : state.promote->hubs)
      pending += progress.filled || progress.given_up ? 0 : 1;
  }
  metrics_.hubs(reached, steps.hubs().size() - reached, pending, state.never_asked.size());
  metrics_.role(state.role == Role::active,
                state.role == Role::active ? state.active_term : state.highest_term);
  metrics_.store_valid(steps.standing() == StoreStanding::own || steps.ledger() != nullptr);
  metrics_.round_took(std::chrono::duration<double>(took).count(),
                      std::chrono::duration<double>(surroundings_.clock->now().time_since_epoch()).count());
  if (steps.ledger() != nullptr) metrics_.ledger_entries(steps.ledger()->size());
  show_aside(steps);
  show_lag();
}

/// The hubs hold what is in doubt for an agent that acts, and this one does not: loud, until somebody
/// promotes.
void Watch::show_aside(OperationSteps& steps) {
  std::string reason = why_aside(steps.state(), standing_of(surroundings_.marker.get(), steps.state()));
  const bool active = std::any_of(steps.hubs().begin(), steps.hubs().end(), [this](const HubWork& hub) {
    return hub.report.reached && hub.status.active == surroundings_.node;
  });
  if (!active) reason.clear();
  metrics_.standing_aside(!reason.empty());
  if (reason.empty() && !aside_.empty()) metrics::log_info("stands aside no longer");
  if (!reason.empty() && reason != aside_)
    metrics::log_error("stands aside: hubs call this node active, and its agent settles nothing",
                       {{"reason", reason}});
  aside_ = std::move(reason);
}

void Watch::show_lag() {
  std::map<std::string, double> lags;
  std::map<std::string, std::uint64_t> unconfirmed;
  for (const auto& [name, followed] : tracker_.dumpsters()) {
    if (!followed.primed) continue;
    const auto oldest = followed.oldest_unconfirmed();
    const double lag = oldest ? std::chrono::duration<double>(followed.now - *oldest).count() : 0;
    lags[name.group] = std::max(lags[name.group], lag);
    unconfirmed[name.group] += followed.pending.size();
    const std::uint64_t evicted = followed.evicted - std::min(followed.evicted, evicted_[name]);
    if (evicted > 0) {
      metrics_.evicted_unconfirmed(name.group, evicted);
      metrics::log_error("left the dumpster before it was confirmed",
                         {{"hub", name.hub}, {"storage_group", name.group}, {"deliveries", evicted}});
    }
    evicted_[name] = followed.evicted;
  }
  for (const auto& [group, lag] : lags)
    metrics_.replication(group, lag, unconfirmed[group]);
}

}  // namespace recovery::agent
