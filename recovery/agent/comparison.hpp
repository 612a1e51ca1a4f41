#pragma once

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "dumpster/resubmission.hpp"
#include "recovery/agent/hub_client.hpp"
#include "recovery/agent/inventory.hpp"
#include "recovery/agent/ledger.hpp"

namespace recovery::agent {

/// What a comparison knows besides lines and inventory.
struct Standpoint {
  std::string node;          ///< the agent's own
  std::uint64_t term = 0;    ///< its current term
  bool judge_own = false;    ///< compare what was delivered to the own node in its current term, too
  bool retry_failed = true;  ///< what a node has refused is tried again when it is missing
  Instant ripe{};            ///< in-doubt lines later than this wait: their outcome is not settled yet
  const Confirmations* confirmed = nullptr;  ///< what was seen before counts as there; null: nothing was
};

/// Recipients of one line with one decision.
struct Decision {
  dumpster::Uuid delivery_id;
  std::string message_id;
  std::uint32_t attempt = 0;
  Instant delivered_at{};
  std::string node;                                                    ///< of the line
  dumpster::DeliveryState state = dumpster::DeliveryState::delivered;  ///< of the line
  dumpster::ResubmissionItem::Outcome outcome = dumpster::ResubmissionItem::Outcome::deliver;
  bool in_doubt() const { return state == dumpster::DeliveryState::in_doubt; }
  std::vector<ListedRecipient> recipients;
};

/// Counts are of recipients.
struct Comparison {
  std::vector<Decision> decisions;
  std::size_t present = 0;     ///< delivered, and found
  std::size_t settled = 0;     ///< in doubt, and found: to be settled as present
  std::size_t missing = 0;     ///< to be delivered, the in-doubt ones among them
  std::size_t waiting = 0;     ///< in doubt, not ripe yet
  std::size_t unknown = 0;     ///< in a mailbox that the inventory could not look at
  std::size_t left_alone = 0;  ///< absent, being resubmitted, refused, or the own node's in its current term
};

/// Whether anything can follow from looking for this line. Lines of the own node in its current term, absent
/// ones and those that another request is delivering need no look.
bool is_in_question(const ListedDelivery& line, const Standpoint& standpoint);

/// The mailboxes that have to be looked at.
std::set<std::string> mailboxes_in_question(const std::vector<ListedDelivery>& lines,
                                            const Standpoint& standpoint);

/// Decides, for every recipient of every line, what is to be done. Pure.
///
/// A recipient is there when its mailbox has a copy of the delivery. Copies are counted: two recipients of
/// one message that end at one mailbox (with different details) need two. What was confirmed before counts,
/// though its reader has deleted it since. A copy is attributed first to what
/// the own node has taken in its current term, then to what was delivered, then to what is in doubt, then to
/// what was refused.
Comparison compare(const std::vector<ListedDelivery>& lines, const Inventory& inventory,
                   const Standpoint& standpoint);

}  // namespace recovery::agent
