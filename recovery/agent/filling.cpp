#include "recovery/agent/filling.hpp"

#include <algorithm>
#include <utility>

#include "recovery/agent/coverage.hpp"
#include "recovery/agent/filling_words.hpp"
#include "recovery/agent/stable_inventory.hpp"

namespace recovery::agent {

using dumpster::DeliveryState;

Filling::Filling(Surroundings& surroundings, State& state, Report& report, std::vector<HubWork>& hubs,
                 Options options)
    : surroundings_(surroundings),
      state_(state),
      report_(report),
      hubs_(hubs),
      options_(std::move(options)) {}

bool Filling::run() {
  prepare();
  moved_at_ = surroundings_.clock->elapsed();
  take_up_orders();
  if (!options_.dry_run && !send_orders()) return false;
  for (bool whole = true;; whole = again_, first_ = false) {
    list(whole);
    Inventory inventory;
    if (!look(inventory)) return false;
    again_ = false;
    decide(inventory);
    if (options_.dry_run) return true;
    if (!send_orders() || !follow_orders()) return false;
    if (!running() && unripe_.empty() && !again_) return verify();
    if (stands_still()) {
      leave_the_rest();
      return verify();
    }
    if (!surroundings_.clock->pause(std::chrono::milliseconds{500})) return fail("interrupted");
  }
}

void Filling::prepare() {
  for (HubWork& hub : hubs_) {
    if (!hub.going) continue;
    for (const GroupStatus& status : hub.status.groups) {
      GroupWork group;
      group.name = status.name;
      groups_[&hub].push_back(std::move(group));
    }
    groups_.try_emplace(&hub);
  }
}

bool Filling::fail(std::string error) {
  report_.error = std::move(error);
  return false;
}

Standpoint Filling::standpoint_of(const GroupWork& group) const {
  Standpoint standpoint = options_.standpoint;
  standpoint.ripe = group.now - surroundings_.settle;
  standpoint.retry_failed = first_ && !goes_on_;
  return standpoint;
}

void Filling::list(bool whole) {
  surroundings_.tell(whole ? "listing what the hubs delivered" : "listing what is in doubt");
  side_by_side(hubs_, [this, whole](HubWork& hub) {
    for (GroupWork& group : groups_.at(&hub)) {
      const auto listed = list_group(hub, group, whole);
      if (!listed) return hub.give_up(listed.error());
    }
  });
}

void Filling::keep(GroupWork& group, ListedDelivery line) const {
  if (!options_.mailboxes.empty()) {
    std::erase_if(line.recipients, [this](const ListedRecipient& recipient) {
      return !options_.mailboxes.contains(recipient.mailbox);
    });
    if (line.recipients.empty()) return;
  }
  group.lines.push_back(std::move(line));
}

HubResult<void> Filling::list_group(HubWork& hub, GroupWork& group, bool whole) {
  const dumpster::StorageGroup name{surroundings_.cluster, group.name};
  const auto query = [&](const ListingQuery& what, auto keep_line) {
    return patiently(*surroundings_.clock, surroundings_.wait, [&] {
      group.lines.clear();
      return hub.client->list(name, what, keep_line);
    });
  };
  // What is in doubt counts however old it is: it is still to be delivered.
  ListingQuery in_doubt;
  in_doubt.state = DeliveryState::in_doubt;
  const Instant from = whole ? window_start(hub, group) : hub.from;
  const auto end = query(in_doubt, [&](ListedDelivery line) {
    found(group, line);
    if (!whole || line.delivered_at < hub.from) keep(group, std::move(line));
  });
  if (!end) return end.error();
  group.now = end->now;
  if (whole) {
    std::vector<ListedDelivery> old = std::exchange(group.lines, {});
    ListingQuery window;
    window.from = from;
    const auto window_end = query(window, [&](ListedDelivery line) {
      found(group, line);
      if (line.delivered_at >= hub.from) keep(group, std::move(line));
    });
    if (!window_end) return window_end.error();
    group.now = window_end->now;
    if (first_) hub.report.listed += group.lines.size();
    if (first_) group.listed_at = window_end->now;
    judge_coverage(hub, group, *window_end);
    group.lines.insert(group.lines.end(), std::make_move_iterator(old.begin()),
                       std::make_move_iterator(old.end()));
  } else {
    // Of what fell in doubt since, only the settled: fresh mail would keep this going for ever.
    const Instant ripe = standpoint_of(group).ripe;
    std::erase_if(group.lines, [&](const ListedDelivery& line) {
      return line.delivered_at > group.listed_at && line.delivered_at > ripe;
    });
  }
  return {};
}

bool Filling::look(Inventory& inventory) {
  std::set<std::string> mailboxes;
  std::set<InventoryKey> questions;
  std::optional<Instant> start;
  bool ripe = false;
  const auto wanted = wanted_copies();
  for (HubWork& hub : hubs_) {
    if (!hub.going) continue;
    for (const GroupWork& group : groups_.at(&hub)) {
      const Standpoint standpoint = standpoint_of(group);
      for (const ListedDelivery& line : group.lines) {
        if (!is_in_question(line, standpoint)) continue;
        ripe = ripe || line.state != DeliveryState::in_doubt || line.delivered_at <= standpoint.ripe;
        const Instant oldest = std::min(line.delivered_at, hub.from);
        const Instant at = std::min(oldest, oldest + hub.ahead) - surroundings_.margin;
        if (!start || at < *start) start = at;
        for (const ListedRecipient& recipient : line.recipients) {
          InventoryKey key{recipient.mailbox, line.delivery_id};
          if (is_confirmed(key, wanted.at(key))) continue;
          mailboxes.insert(recipient.mailbox);
          questions.insert(std::move(key));
        }
      }
      for (const auto& [named, sought] : group.sought) {
        const Instant at =
            std::min(sought.delivered_at, sought.delivered_at + hub.ahead) - surroundings_.margin;
        if (!start || at < *start) start = at;
        ripe = true;
        if (sought.mailbox.empty()) continue;
        mailboxes.insert(sought.mailbox);
        questions.insert({sought.mailbox, named.first});
      }
    }
  }
  if (!ripe) return true;
  surroundings_.tell("looking into " + std::to_string(mailboxes.size()) + " mailboxes");
  auto taken = take_stable(*surroundings_.inventory, *surroundings_.clock, mailboxes, questions, *start);
  if (!taken) return fail("the inventory cannot be taken: " + taken.error().detail);
  inventory = std::move(*taken);
  note_inexactness(inventory, report_.notes);
  if (!keep_found(inventory)) return false;
  for (const auto& [mailbox, reason] : inventory.unknown()) {
    const std::string note = "mailbox " + mailbox + " was not looked at: " + reason;
    if (std::find(report_.notes.begin(), report_.notes.end(), note) == report_.notes.end()) {
      report_.notes.push_back(note);
    }
  }
  return true;
}

std::map<InventoryKey, std::uint32_t> Filling::wanted_copies() const {
  std::map<InventoryKey, std::uint32_t> wanted;
  for (const auto& [hub, groups] : groups_) {
    for (const GroupWork& group : groups) {
      for (const ListedDelivery& line : group.lines) {
        for (const ListedRecipient& recipient : line.recipients)
          ++wanted[{recipient.mailbox, line.delivery_id}];
      }
    }
  }
  return wanted;
}

/// Whether no look is needed.
bool Filling::is_confirmed(const InventoryKey& key, std::uint32_t wanted) const {
  const Confirmations* confirmed = options_.standpoint.confirmed;
  return confirmed != nullptr && confirmed->copies(key.first, key.second) >= wanted;
}

/// What was found is confirmed from now on: for late hubs, and for the next failover.
bool Filling::keep_found(const Inventory& inventory) {
  if (options_.ledger == nullptr || options_.dry_run) return true;
  for (const auto& [hub, groups] : groups_) {
    for (const GroupWork& group : groups) {
      for (const ListedDelivery& line : group.lines) {
        for (const ListedRecipient& recipient : line.recipients) {
          const std::uint32_t copies = inventory.copies(recipient.mailbox, line.delivery_id);
          if (copies == 0) continue;
          options_.ledger->confirm(
              {{hub->address(), group.name}, line.delivered_at, recipient.mailbox, line.delivery_id, copies});
        }
      }
    }
  }
  const auto saved = options_.ledger->save();
  return saved ? true : fail("the ledger cannot be kept: " + saved.error().detail);
}

void Filling::decide(const Inventory& inventory) {
  unripe_.clear();
  for (HubWork& hub : hubs_) {
    if (!hub.going) continue;
    for (GroupWork& group : groups_.at(&hub)) {
      judge_sought(hub, group, inventory);
      Comparison comparison = compare(group.lines, inventory, standpoint_of(group));
      if (comparison.waiting > 0) unripe_[&hub] += comparison.waiting;
      if (first_) hub.report.present += comparison.present;
      if (first_) hub.report.unknown += comparison.unknown;
      std::erase_if(comparison.decisions, [&](const Decision& decision) {
        return group.decided.contains({decision.delivery_id, decision.attempt});
      });
      for (const Decision& decision : comparison.decisions) {
        if (decision.in_doubt()) hub.report.in_doubt_settled += decision.recipients.size();
      }
      if (options_.dry_run || report_.keep_items) note_items(hub, group, comparison.decisions);
      if (!options_.dry_run) order(hub, group, std::move(comparison.decisions));
      group.lines.clear();
      group.lines.shrink_to_fit();
    }
  }
}

void Filling::note_item(const HubWork& hub, const GroupWork& group, const Decision& decision,
                        std::string outcome, std::string reason) {
  FilledItem item;
  item.hub = hub.address();
  item.group = group.name;
  item.delivery_id = dumpster::to_string(decision.delivery_id);
  item.message_id = decision.message_id;
  item.outcome = std::move(outcome);
  item.reason = std::move(reason);
  for (const ListedRecipient& recipient : decision.recipients)
    item.recipients.push_back(recipient.address);
  report_.items.push_back(std::move(item));
}

void Filling::note_items(const HubWork& hub, const GroupWork& group, const std::vector<Decision>& decisions) {
  for (const Decision& decision : decisions) {
    const bool deliver = decision.outcome == dumpster::ResubmissionItem::Outcome::deliver;
    note_item(hub, group, decision, deliver ? "deliver" : "settle as present", reason_of(decision));
  }
}

bool Filling::verify() {
  if (!list_resubmitted()) return true;
  surroundings_.tell("looking whether everything has arrived");
  const dumpster::Duration patience =
      std::max<dumpster::Duration>(surroundings_.settle, std::chrono::seconds{3});
  const dumpster::Duration end = surroundings_.clock->elapsed() + patience;
  for (;;) {
    std::set<std::string> mailboxes;
    Instant start = Instant::max();
    Standpoint standpoint = options_.standpoint;
    standpoint.judge_own = true;
    standpoint.confirmed = nullptr;
    for (auto& [hub, groups] : groups_) {
      for (const GroupWork& group : groups) {
        mailboxes.merge(mailboxes_in_question(group.lines, standpoint));
        start = std::min({start, hub->from, hub->from + hub->ahead});
      }
    }
    const auto inventory = surroundings_.inventory->take(mailboxes, start - surroundings_.margin);
    if (!inventory) return fail("the inventory cannot be taken: " + inventory.error().detail);
    const bool over = surroundings_.clock->elapsed() >= end;
    bool all_there = true;
    for (auto& [hub, groups] : groups_) {
      if (!hub->going) continue;
      hub->report.missing = 0;
      for (const GroupWork& group : groups) {
        const Comparison comparison = compare(group.lines, *inventory, standpoint);
        hub->report.missing += group.vanished + comparison.missing;
        all_there = all_there && comparison.missing == 0;
        for (std::size_t i = 0; over && report_.keep_items && i < comparison.decisions.size(); ++i)
          note_item(*hub, group, comparison.decisions[i], "missing", "it was accepted, and is in no mailbox");
      }
    }
    if (!all_there && over) {
      report_.notes.push_back(
          "what is missing was accepted and is in none of its mailboxes: a filter discards or forwards it, "
          "the node "
          "expands its recipient, or a mailbox server took it for a duplicate (Cyrus: see `deliver.db`)");
    }
    if (all_there || over) return true;
    if (!surroundings_.clock->pause(std::chrono::milliseconds{1'500})) return fail("interrupted");
  }
}

/// Lists again what was resubmitted and has been delivered to this node. False when there is nothing.
bool Filling::list_resubmitted() {
  side_by_side(hubs_, [this](HubWork& hub) {
    for (GroupWork& group : groups_.at(&hub)) {
      if (group.resubmitted.empty()) continue;
      const dumpster::StorageGroup name{surroundings_.cluster, group.name};
      ListingQuery window;
      window.from = hub.from;
      const auto end = patiently(*surroundings_.clock, surroundings_.wait, [&] {
        group.lines.clear();
        return hub.client->list(name, window, [&](ListedDelivery line) {
          const bool ours = line.state == DeliveryState::delivered && line.node == options_.standpoint.node &&
                            line.term == options_.standpoint.term &&
                            group.resubmitted.contains(line.delivery_id);
          if (ours) keep(group, std::move(line));
        });
      });
      if (!end) return hub.give_up(end.error());
    }
  });
  for (const auto& [hub, groups] : groups_) {
    for (const GroupWork& group : groups) {
      if (hub->going && !group.lines.empty()) return true;
    }
  }
  return false;
}

}  // namespace recovery::agent
