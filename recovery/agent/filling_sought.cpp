#include <algorithm>

#include "recovery/agent/coverage.hpp"
#include "recovery/agent/filling.hpp"

namespace recovery::agent {

/// At the first look the whole window counts. What is evicted later was judged then, or is sought by its
/// name.
void Filling::judge_coverage(HubWork& hub, const GroupWork& group, const ListingEnd& end) const {
  std::string gap;
  if (end.store_id != hub.identity.store_id) {
    gap = "the hub lost its dumpster while it was asked";
  } else if (first_) {
    gap = gap_in_coverage(end, hub.open_since, hub.known);
  }
  if (gap.empty()) return;
  hub.report.covered = false;
  hub.report.coverage = "storage group " + group.name + ": " + gap;
}

/// What the order named and the hub did not find may have moved, or be gone: the next look tells.
void Filling::seek(const RunningOrder& order) {
  const std::set<dumpster::Uuid> not_found{order.last.not_found.begin(), order.last.not_found.end()};
  if (not_found.empty()) return;
  again_ = true;
  for (GroupWork& group : groups_.at(order.hub)) {
    if (group.name != order.order.group) continue;
    for (const Decision& decision : order.deliver) {
      if (!not_found.contains(decision.delivery_id)) continue;
      for (const ListedRecipient& recipient : decision.recipients)
        group.sought[{decision.delivery_id, recipient.address}] = {decision.delivered_at, recipient.mailbox,
                                                                   decision.message_id};
    }
  }
}

/// Far enough back to see what is sought, should it still stand where it was.
Instant Filling::window_start(const HubWork& hub, const GroupWork& group) {
  Instant from = hub.from;
  for (const auto& [named, sought] : group.sought)
    from = std::min(from, sought.delivered_at);
  return from;
}

void Filling::found(GroupWork& group, const ListedDelivery& line) {
  if (group.sought.empty()) return;
  for (const ListedRecipient& recipient : line.recipients)
    group.sought.erase({line.delivery_id, recipient.address});
}

/// Behind a look at the whole window: what is still sought has left the dumpster. Replication may have
/// brought it here meanwhile; otherwise nobody can fill it any more.
void Filling::judge_sought(HubWork& hub, GroupWork& group, const Inventory& inventory) {
  if (group.sought.empty()) return;
  std::map<InventoryKey, std::uint32_t> taken;
  for (const ListedDelivery& line : group.lines) {
    for (const ListedRecipient& recipient : line.recipients)
      ++taken[{recipient.mailbox, line.delivery_id}];
  }
  const Confirmations* confirmed = options_.standpoint.confirmed;
  std::size_t gone = 0;
  for (const auto& [named, sought] : group.sought) {
    const auto& [delivery, address] = named;
    const std::uint32_t seen = confirmed == nullptr ? 0 : confirmed->copies(sought.mailbox, delivery);
    const std::uint32_t there = std::max(inventory.copies(sought.mailbox, delivery), seen);
    if (++taken[{sought.mailbox, delivery}] <= there) continue;
    ++gone;
    if (!report_.keep_items) continue;
    Decision gone_one;
    gone_one.delivery_id = delivery;
    gone_one.message_id = sought.message_id;
    gone_one.recipients.push_back({address, sought.mailbox});
    note_item(hub, group, gone_one, "missing",
              "it left the dumpster before it could be asked for, and it is not here");
  }
  group.sought.clear();
  if (gone == 0) return;
  group.vanished += gone;
  hub.report.missing += gone;
  hub.report.covered = false;
  hub.report.coverage = "storage group " + group.name + ": mail of " + std::to_string(group.vanished) +
                        " recipients left the dumpster before it could be asked for";
}

}  // namespace recovery::agent
