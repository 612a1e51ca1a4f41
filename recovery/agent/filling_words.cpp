#include "recovery/agent/filling_words.hpp"

#include <algorithm>

namespace recovery::agent {

using dumpster::DeliveryState;

std::string reason_of(const Decision& decision) {
  const bool deliver = decision.outcome == dumpster::ResubmissionItem::Outcome::deliver;
  const std::string when = dumpster::to_rfc3339(decision.delivered_at);
  if (decision.in_doubt()) {
    return "the outcome on " + decision.node + " at " + when + " is unknown, and it is " +
           (deliver ? "not here" : "here");
  }
  if (decision.state == DeliveryState::failed) {
    return "it was refused by " + decision.node + " at " + when + ", and it is not here";
  }
  return decision.node + " acknowledged it at " + when + ", and it is not here";
}

void note_inexactness(const Inventory& inventory, std::vector<std::string>& notes) {
  constexpr std::size_t most_named = 20;
  std::size_t named = 0;
  for (const std::string& mailbox : inventory.nowhere()) {
    const std::string note = "this node has no mailbox " + mailbox +
                             ": new, or renamed; what the window holds for it is delivered to it again";
    const bool full = ++named > most_named;
    const std::string said = full ? std::to_string(inventory.nowhere().size() - most_named) +
                                        " further mailboxes are not on this node"
                                  : note;
    if (std::find(notes.begin(), notes.end(), said) == notes.end()) notes.push_back(said);
    if (full) return;
  }
}

}  // namespace recovery::agent
