#include "recovery/agent/absence.hpp"

#include <algorithm>
#include <boost/json.hpp>
#include <utility>

namespace recovery::agent {
namespace {

namespace json = boost::json;
using dumpster::DeliveryState;
using dumpster::Duration;
using dumpster::Result;
using namespace std::chrono_literals;

constexpr Duration apart = 1500ms;
constexpr std::size_t mailboxes_in_sweep = 64;
constexpr std::size_t most_reported = 1'000;  ///< lines in one report

std::string absent_body(const std::string& node, std::uint64_t term,
                        const std::vector<ListedDelivery>& lines) {
  json::array deliveries;
  for (const ListedDelivery& line : lines) {
    json::array recipients;
    for (const ListedRecipient& recipient : line.recipients)
      recipients.emplace_back(recipient.address);
    deliveries.push_back(
        {{"delivery_id", dumpster::to_string(line.delivery_id)}, {"recipients", std::move(recipients)}});
  }
  return json::serialize(json::object{{"node", node}, {"term", term}, {"deliveries", std::move(deliveries)}});
}

/// Of a line with further recipients that wait, those stay pending: the next reconciliation sees what is
/// left.
void settle(Followed& followed, const ListedDelivery& reported) {
  const auto pending = followed.pending.find(reported.delivered_at);
  if (pending == followed.pending.end()) return;
  if (pending->second.line.recipients.size() <= reported.recipients.size()) {
    followed.pending.erase(pending);
  } else {
    followed.next_reconcile = {};
  }
}

}  // namespace

Absence::Latest Absence::latest_of(const Inventory& inventory, const Ledger& ledger) {
  Latest latest;
  inventory.each([&](const std::string& mailbox, const dumpster::Uuid& delivery, std::uint32_t) {
    const auto place = ledger.place_of(mailbox, delivery);
    if (!place) return;
    Instant& known = latest[{mailbox, place->first}];
    known = std::max(known, place->second);
  });
  return latest;
}

bool Absence::has_later(const Latest& latest, const std::string& mailbox, const DumpsterName& name,
                        Instant at) {
  const auto found = latest.find({mailbox, name});
  return found != latest.end() && found->second > at;
}

/// From the activation on a hub delivers to the active node alone.
bool Absence::is_own(const DumpsterName& name, Instant at, const Standing& standing) const {
  const auto since = standing.since->find(name.hub);
  const auto followed = tracker_.dumpsters().find(name);
  return since != standing.since->end() && at >= since->second && followed != tracker_.dumpsters().end() &&
         at <= followed->second.now - surroundings_.settle;
}

void Absence::judge(const TrackerLook& look, const Ledger& ledger, const Standing& standing) {
  const Latest latest = latest_of(look.inventory, ledger);
  const Duration now = surroundings_.clock->elapsed();
  for (auto& [name, followed] : tracker_.dumpsters()) {
    for (auto& [at, pending] : followed.pending) {
      ListedDelivery& line = pending.line;
      if (line.state != DeliveryState::delivered || line.node != standing.node ||
          line.term != standing.term || !is_own(name, at, standing)) {
        continue;
      }
      std::vector<ListedRecipient> missed = unconfirmed_of(line, ledger);
      const bool looked = std::all_of(missed.begin(), missed.end(), [&](const auto& recipient) {
        return look.mailboxes.contains(recipient.mailbox);
      });
      if (!looked) continue;
      std::erase_if(missed, [&, &dumpster = name, delivered_at = at](const ListedRecipient& recipient) {
        return look.inventory.unknown().contains(recipient.mailbox) ||
               look.inventory.copies(recipient.mailbox, line.delivery_id) > 0 ||
               !has_later(latest, recipient.mailbox, dumpster, delivered_at);
      });
      if (missed.empty()) {
        pending.missed.reset();
      } else if (!pending.missed) {
        pending.missed = now;
        pending.next_look = now + apart;
      } else if (now - *pending.missed >= apart) {
        certain_[name].push_back(line);
        certain_[name].back().recipients = std::move(missed);
        pending.missed.reset();
      }
    }
  }
}

/// The next few mailboxes in turn.
std::vector<std::string> Absence::next_mailboxes(const std::map<std::string, std::vector<Gone>>& candidates) {
  std::vector<std::string> chosen;
  auto next = candidates.lower_bound(sweep_from_);
  while (chosen.size() < std::min(mailboxes_in_sweep, candidates.size())) {
    if (next == candidates.end()) next = candidates.begin();
    chosen.push_back(next->first);
    ++next;
  }
  sweep_from_ = next == candidates.end() ? std::string{} : next->first;
  return chosen;
}

Result<void> Absence::sweep(const Ledger& ledger, const Standing& standing) {
  const Duration now = surroundings_.clock->elapsed();
  if (now < next_sweep_) return {};
  std::map<std::string, std::vector<Gone>> candidates;
  ledger.each([&](const Ledger::Entry& entry) {
    if (!is_own(entry.dumpster, entry.at, standing)) return;
    Gone candidate{entry.dumpster, entry.at, entry.mailbox, entry.delivery};
    if (!told_.contains(candidate)) candidates[entry.mailbox].push_back(std::move(candidate));
  });
  std::set<std::string> mailboxes;
  for (const auto& [gone, since] : gone_)
    mailboxes.insert(gone.mailbox);
  for (std::string& mailbox : next_mailboxes(candidates))
    mailboxes.insert(std::move(mailbox));
  next_sweep_ = now + (gone_.empty() ? Duration{5s} : apart);
  if (mailboxes.empty()) return {};
  Instant start = Instant::max();
  for (const std::string& mailbox : mailboxes) {
    for (const Gone& one : candidates[mailbox])
      start = std::min(start, one.at);
  }
  start = std::min(start, surroundings_.clock->now()) - surroundings_.margin;
  const auto inventory = surroundings_.inventory->take(mailboxes, start);
  if (!inventory) return inventory.error();
  const Latest latest = latest_of(*inventory, ledger);
  std::map<Gone, Duration> gone;
  for (const std::string& mailbox : mailboxes) {
    if (inventory->unknown().contains(mailbox)) continue;
    for (const Gone& one : candidates[mailbox]) {
      const bool there = inventory->copies(mailbox, one.delivery) > 0;
      if (there || !has_later(latest, mailbox, one.dumpster, one.at)) continue;
      const auto before = gone_.find(one);
      if (before != gone_.end() && now - before->second >= apart) {
        certainly_gone_[one.dumpster].push_back(one);
      } else {
        gone.emplace(one, before == gone_.end() ? now : before->second);
      }
    }
  }
  gone_ = std::move(gone);
  return {};
}

/// The lines as the hub has them now, with the recipients whose copies are gone. What is absent already, or
/// has moved, needs no report.
std::vector<ListedDelivery> Absence::lines_of_gone(HubWork& hub, const std::string& group) {
  constexpr std::size_t most_asked = 200;
  std::size_t asked = 0;
  std::vector<ListedDelivery> lines;
  for (const Gone& gone : std::exchange(certainly_gone_[{hub.address(), group}], {})) {
    ListingQuery query;
    query.from = gone.at;
    query.until = gone.at + 1us;
    query.state = DeliveryState::delivered;
    const auto listed = hub.client->list({surroundings_.cluster, group}, query, [&](ListedDelivery line) {
      if (line.delivery_id != gone.delivery) return;
      std::erase_if(line.recipients,
                    [&](const ListedRecipient& recipient) { return recipient.mailbox != gone.mailbox; });
      if (!line.recipients.empty()) lines.push_back(std::move(line));
    });
    if (!listed || ++asked == most_asked) break;  // the next sweeps find the rest again
    told_.insert(gone);
  }
  return lines;
}

std::size_t Absence::report(std::vector<HubWork>& hubs, const Standing& standing) {
  std::size_t reported = 0;
  for (HubWork& hub : hubs) {
    if (!hub.going || hub.status.active != standing.node || hub.status.term != standing.term) continue;
    for (const GroupStatus& group : hub.status.groups) {
      std::vector<ListedDelivery> lines = std::exchange(certain_[{hub.address(), group.name}], {});
      std::vector<ListedDelivery> gone = lines_of_gone(hub, group.name);
      std::erase_if(gone, [&](const ListedDelivery& line) {
        return line.node != standing.node || line.term != standing.term;
      });
      lines.insert(lines.end(), std::make_move_iterator(gone.begin()), std::make_move_iterator(gone.end()));
      for (std::size_t first = 0; first < lines.size(); first += most_reported) {
        const auto begin = lines.begin() + static_cast<std::ptrdiff_t>(first);
        const auto end =
            lines.begin() + static_cast<std::ptrdiff_t>(std::min(first + most_reported, lines.size()));
        const std::vector<ListedDelivery> part(begin, end);
        const auto told = hub.client->absent({surroundings_.cluster, group.name},
                                             absent_body(standing.node, standing.term, part));
        if (!told) return hub.give_up(told.error()), reported;
        for (const ListedDelivery& line : part) {
          reported += line.recipients.size();
          settle(tracker_.dumpsters()[{hub.address(), group.name}], line);
        }
      }
    }
  }
  return reported;
}

}  // namespace recovery::agent
