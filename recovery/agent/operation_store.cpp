#include <algorithm>

#include "recovery/agent/operation_steps.hpp"

namespace recovery::agent {

bool OperationSteps::check_store(StoreRule rule) {
  const auto standing = standing_of(surroundings_.marker.get(), state_);
  if (!standing) {
    // An empty store is taken on the word of whoever says that it is the right one.
    const auto bare = surroundings_.marker->bare();
    if (rule != StoreRule::take_bare || !bare || !*bare) return fail(standing.error().detail);
    standing_ = StoreStanding::foreign;
    state_.marker.clear();
    return take_marker();
  }
  standing_ = *standing;
  if (standing_ == StoreStanding::unmarked) return true;
  if (standing_ == StoreStanding::own) return open_ledger();
  if (rule == StoreRule::look) {
    if (standing_ == StoreStanding::foreign)
      report_.notes.push_back("the mail store is not the one that this agent knew: nothing is confirmed");
    return true;
  }
  if (standing_ == StoreStanding::foreign && rule == StoreRule::require_own) {
    return fail("the mail store is not the one that this agent knew (" + surroundings_.marker->name() +
                "): it was restored or resynchronised, so promote this node anew");
  }
  return take_marker();
}

bool OperationSteps::take_marker() {
  const auto bare = surroundings_.marker->bare();
  if (standing_ == StoreStanding::foreign) {
    report_.notes.push_back(
        "the mail store is not the one that this agent knew: what was confirmed is void, and mail that "
        "readers "
        "deleted within the window comes back");
  } else if (bare && *bare) {
    report_.notes.push_back("the mail store is empty, and this agent never saw another: taken as it is");
  }
  renew_marker(surroundings_.marker.get(), state_, surroundings_.clock->now());
  const auto written = standing_of(surroundings_.marker.get(), state_);
  if (!written || *written != StoreStanding::own) {
    report_.notes.push_back("the marker of the mail store cannot be written (" +
                            surroundings_.marker->name() + "): nothing is confirmed");
    standing_ = StoreStanding::unmarked;
    state_.marker.clear();
    return save();
  }
  return save() && open_ledger();
}

bool OperationSteps::open_ledger() {
  if (!surroundings_.ledger) return true;
  const auto opened = surroundings_.ledger->open(state_.marker);
  if (!opened) return fail("the ledger cannot be read: " + opened.error().detail);
  ledger_ = *opened;
  return true;
}

void OperationSteps::become_passive() {
  if (state_.role == Role::active) {
    renew_marker(surroundings_.marker.get(), state_, surroundings_.clock->now());
    ledger_ = nullptr;
  }
  state_.role = Role::passive;
}

Instant OperationSteps::window_start(HubWork& hub, Instant now, Instant started) {
  // Counted from when the promote was ordered, in the hub's time: for a late hub, too, the gap lies before.
  const dumpster::Duration since = surroundings_.clock->now() - started;
  const Instant behind = now - std::max(since, dumpster::Duration::zero()) - surroundings_.lookback;
  hub.open_since = behind;
  if (ledger_ == nullptr || hub.status.groups.empty()) return behind;
  Instant low = Instant::max();
  for (const GroupStatus& group : hub.status.groups) {
    const Watermark* watermark = ledger_->watermark({hub.address(), group.name});
    if (watermark == nullptr) return behind;
    low = std::min(low, watermark->low);
    if (watermark->evicted_until == Instant{} || watermark->evicted_until <= behind) continue;
    hub.report.covered = false;
    hub.report.coverage = "storage group " + group.name + ": deliveries up to " +
                          dumpster::to_rfc3339(watermark->evicted_until) +
                          " left the dumpster before this node had them";
  }
  hub.open_since = low;
  return low - surroundings_.margin;
}

std::vector<std::string> OperationSteps::give_up_on_late_hubs() {
  std::vector<std::string> given_up;
  if (!state_.promote || state_.promote->term == 0) return given_up;
  const Instant now = surroundings_.clock->now();
  for (const HubWork& hub : hubs_) {
    // Only one that was asked just now, and not one that is left alone for a while.
    if (hub.report.reached || hub.report.trouble.empty()) continue;
    const auto progress = state_.promote->hubs.find(hub.address());
    if (progress == state_.promote->hubs.end() || progress->second.settled()) continue;
    const auto known = state_.hubs.find(hub.address());
    const auto said = known == state_.hubs.end() ? std::nullopt : known->second.retention;
    const NeverAsked never{state_.promote->started, said.value_or(usual_retention)};
    if (now - never.before < never.retention) continue;
    progress->second.given_up = true;
    state_.never_asked[hub.address()] = never;
    std::erase_if(state_.orders, [&](const PendingOrder& order) { return order.hub == hub.address(); });
    given_up.push_back(hub.address());
  }
  if (state_.promote->done()) state_.promote.reset();
  return given_up;
}

/// A hub that is not reached now is judged later by what is here now: mail that readers delete meanwhile does
/// not come back.
bool OperationSteps::keep_for_late_hubs() {
  PendingPromote& promote = *state_.promote;
  const bool late = std::any_of(hubs_.begin(), hubs_.end(),
                                [](const HubWork& hub) { return !hub.going && !hub.report.filled; });
  if (!late || promote.inventory_kept || ledger_ == nullptr) return true;
  const auto names = surroundings_.inventory->mailboxes();
  if (!names) return fail("the inventory cannot be taken: " + names.error().detail);
  if (!*names) {
    report_.notes.push_back(
        "this inventory cannot name all mailboxes, so none is kept for the hubs that are away");
    return true;
  }
  surroundings_.tell("keeping what " + std::to_string((*names)->size()) +
                     " mailboxes hold for the hubs that are away");
  const Instant now = surroundings_.clock->now();
  const auto inventory =
      surroundings_.inventory->take(**names, promote.started - surroundings_.lookback - surroundings_.margin);
  if (!inventory) return fail("the inventory cannot be taken: " + inventory.error().detail);
  inventory->each([&](const std::string& mailbox, const dumpster::Uuid& delivery, std::uint32_t copies) {
    surroundings_.ledger->confirm({{}, now, mailbox, delivery, copies});
  });
  const auto saved = surroundings_.ledger->save();
  if (!saved) return fail("the ledger cannot be kept: " + saved.error().detail);
  promote.inventory_kept = true;
  return save();
}

}  // namespace recovery::agent
