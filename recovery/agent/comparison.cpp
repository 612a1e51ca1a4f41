#include "recovery/agent/comparison.hpp"

#include <algorithm>
#include <map>
#include <utility>

namespace recovery::agent {
namespace {

using dumpster::DeliveryState;
using Outcome = dumpster::ResubmissionItem::Outcome;

bool is_own(const ListedDelivery& line, const Standpoint& standpoint) {
  return line.state == DeliveryState::delivered && line.node == standpoint.node &&
         line.term == standpoint.term && !standpoint.judge_own;
}

/// The order in which lines take the copies there are.
enum class Claim { own, delivered, in_doubt, failed, none };

Claim claim_of(const ListedDelivery& line, const Standpoint& standpoint) {
  if (is_own(line, standpoint)) return Claim::own;
  switch (line.state) {
    case DeliveryState::delivered:
      return Claim::delivered;
    case DeliveryState::in_doubt:
      return Claim::in_doubt;
    case DeliveryState::failed:
      return Claim::failed;
    case DeliveryState::absent:
    case DeliveryState::resubmitting:
      break;
  }
  return Claim::none;
}

/// Hands out the copies of the inventory, each once.
class Copies {
 public:
  Copies(const Inventory& inventory, const Confirmations* confirmed)
      : inventory_(inventory), confirmed_(confirmed) {}

  bool take(const std::string& mailbox, const dumpster::Uuid& delivery) {
    const std::uint32_t seen = confirmed_ == nullptr ? 0 : confirmed_->copies(mailbox, delivery);
    const std::uint32_t there = std::max(inventory_.copies(mailbox, delivery), seen);
    if (there == 0) return false;
    std::uint32_t& taken = taken_[{delivery, mailbox}];
    if (taken >= there) return false;
    ++taken;
    return true;
  }

 private:
  const Inventory& inventory_;
  const Confirmations* confirmed_;
  std::map<std::pair<dumpster::Uuid, std::string>, std::uint32_t> taken_;
};

class Judge {
 public:
  Judge(const Inventory& inventory, const Standpoint& standpoint)
      : inventory_(inventory), standpoint_(standpoint), copies_(inventory, standpoint.confirmed) {}

  void judge(const ListedDelivery& line, Claim claim) {
    if (claim == Claim::own || claim == Claim::none) return leave(line, claim);
    Decision deliver = decision(line, Outcome::deliver);
    Decision present = decision(line, Outcome::present);
    for (const ListedRecipient& recipient : line.recipients) {
      const bool there = copies_.take(recipient.mailbox, line.delivery_id);
      if (!there && inventory_.unknown().contains(recipient.mailbox)) {
        ++result_.unknown;
        continue;
      }
      if (claim == Claim::in_doubt && line.delivered_at > standpoint_.ripe) {
        ++result_.waiting;
      } else if (claim == Claim::failed && (there || !standpoint_.retry_failed)) {
        ++result_.left_alone;
      } else if (!there) {
        ++result_.missing;
        deliver.recipients.push_back(recipient);
      } else if (claim == Claim::in_doubt) {
        ++result_.settled;
        present.recipients.push_back(recipient);
      } else {
        ++result_.present;
      }
    }
    if (!deliver.recipients.empty()) result_.decisions.push_back(std::move(deliver));
    if (!present.recipients.empty()) result_.decisions.push_back(std::move(present));
  }

  Comparison take_result() { return std::move(result_); }

 private:
  void leave(const ListedDelivery& line, Claim claim) {
    result_.left_alone += line.recipients.size();
    if (claim != Claim::own) return;
    for (const ListedRecipient& recipient : line.recipients)
      copies_.take(recipient.mailbox, line.delivery_id);
  }

  static Decision decision(const ListedDelivery& line, Outcome outcome) {
    Decision made;
    made.delivery_id = line.delivery_id;
    made.message_id = line.message_id;
    made.attempt = line.attempt;
    made.delivered_at = line.delivered_at;
    made.outcome = outcome;
    made.node = line.node;
    made.state = line.state;
    return made;
  }

  const Inventory& inventory_;
  const Standpoint& standpoint_;
  Copies copies_;
  Comparison result_;
};

}  // namespace

bool is_in_question(const ListedDelivery& line, const Standpoint& standpoint) {
  const Claim claim = claim_of(line, standpoint);
  return claim != Claim::own && claim != Claim::none;
}

std::set<std::string> mailboxes_in_question(const std::vector<ListedDelivery>& lines,
                                            const Standpoint& standpoint) {
  std::set<std::string> mailboxes;
  for (const ListedDelivery& line : lines) {
    if (!is_in_question(line, standpoint)) continue;
    for (const ListedRecipient& recipient : line.recipients)
      mailboxes.insert(recipient.mailbox);
  }
  return mailboxes;
}

Comparison compare(const std::vector<ListedDelivery>& lines, const Inventory& inventory,
                   const Standpoint& standpoint) {
  Judge judge{inventory, standpoint};
  for (const Claim claim : {Claim::own, Claim::delivered, Claim::in_doubt, Claim::failed, Claim::none}) {
    for (const ListedDelivery& line : lines) {
      if (claim_of(line, standpoint) == claim) judge.judge(line, claim);
    }
  }
  return judge.take_result();
}

}  // namespace recovery::agent
