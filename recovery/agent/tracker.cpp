#include "recovery/agent/tracker.hpp"

#include <algorithm>
#include <utility>

#include "recovery/agent/coverage.hpp"

namespace recovery::agent {
namespace {

using dumpster::DeliveryState;
using dumpster::Duration;
using dumpster::Result;
using namespace std::chrono_literals;

constexpr std::size_t lines_in_page = 20'000;
constexpr int pages_in_round = 5;
constexpr std::size_t most_pending = 200'000;  ///< lines in memory of one dumpster: about 80 MB

/// Whether the line waits for something: what was refused or called absent does not.
bool is_open(const ListedDelivery& line) {
  return line.state != DeliveryState::absent && line.state != DeliveryState::failed;
}

}  // namespace

std::optional<Instant> Followed::oldest_unconfirmed() const {
  for (const auto& [at, waiting] : pending) {
    if (waiting.line.state == DeliveryState::delivered) return at;
  }
  return std::nullopt;
}

std::vector<ListedRecipient> unconfirmed_of(const ListedDelivery& line, const Confirmations& confirmed) {
  std::vector<ListedRecipient> left;
  std::map<std::string, std::uint32_t> taken;
  for (const ListedRecipient& recipient : line.recipients) {
    const std::uint32_t place = ++taken[recipient.mailbox];
    if (confirmed.copies(recipient.mailbox, line.delivery_id) < place) left.push_back(recipient);
  }
  return left;
}

void Tracker::use(Ledger& ledger) {
  ledger_ = &ledger;
  if (marker_ != ledger.marker()) dumpsters_.clear();
  marker_ = ledger.marker();
}

void Tracker::prepare(const HubWork& hub) {
  for (const GroupStatus& group : hub.status.groups)
    dumpsters_.try_emplace({hub.address(), group.name});
}

void Tracker::prime(const DumpsterName& name, Followed& followed, const HubWork& hub) const {
  const bool lost = followed.primed && followed.lost_before != hub.known.lost_before;
  if (followed.primed && !lost) return;
  if (!followed.primed) {
    const Watermark* known = ledger_->watermark(name);
    if (known != nullptr) {
      followed.mark = *known;
    } else {
      followed.mark.low = hub.identity.now - surroundings_.lookback;
    }
  }
  // What stood in a dumpster that its hub has lost cannot be asked for any more.
  if (lost && !followed.pending.empty())
    followed.mark.evicted_until = std::max(followed.mark.evicted_until, followed.pending.rbegin()->first);
  followed.pending.clear();
  followed.mark.cursor = followed.mark.low;
  followed.lost_before = hub.known.lost_before;
  followed.primed = true;
}

void Tracker::take_in(Followed& followed, ListedDelivery line) const {
  const Instant at = line.delivered_at;
  const auto known = followed.pending.find(at);
  if (!is_open(line) || unconfirmed_of(line, *ledger_).empty()) {
    if (known != followed.pending.end()) followed.pending.erase(known);
    return;
  }
  if (known != followed.pending.end()) {
    known->second.line = std::move(line);
    return;
  }
  PendingLine pending;
  pending.line = std::move(line);
  followed.pending.emplace(at, std::move(pending));
}

HubResult<void> Tracker::follow(HubWork& hub, const std::string& group) {
  const DumpsterName name{hub.address(), group};
  Followed& followed = dumpsters_.at(name);
  prime(name, followed, hub);
  // With that much missing there is nothing to be learnt from more; the window starts at the oldest anyway.
  for (int page = 0; page < pages_in_round && followed.pending.size() < most_pending; ++page) {
    const auto caught_up = take_page(hub, group, followed);
    if (!caught_up) return caught_up.error();
    if (*caught_up) break;
  }
  if (followed.pending.empty() || surroundings_.clock->elapsed() < followed.next_reconcile) return {};
  return reconcile(hub, group, followed);
}

/// What left the dumpster before it was ever listed stands in no later listing, so that has to be remembered.
/// On the active node it was a delivery to this node.
void Tracker::remember_gap(const HubWork& hub, Instant from, const ListingEnd& end,
                           Followed& followed) const {
  const bool gap = hub.status.active != surroundings_.node && !gap_in_coverage(end, from, hub.known).empty();
  if (gap) {
    const Instant covered_from = std::max(end.covered_from, hub.known.lost_before.value_or(Instant{}));
    followed.mark.evicted_until = std::max(followed.mark.evicted_until, covered_from - 1us);
  }
  followed.evicted += gap && !followed.gap ? 1 : 0;  // how many it were nobody knows
  followed.gap = gap;
}

/// Whether there is no more. A page has a bounded number of lines, and the time that it spans follows from
/// that.
HubResult<bool> Tracker::take_page(HubWork& hub, const std::string& group, Followed& followed) const {
  ListingQuery query;
  query.from = followed.mark.cursor;
  if (followed.span != Duration::zero()) query.until = query.from + followed.span;
  std::vector<ListedDelivery> fresh;
  std::optional<Instant> behind;
  const auto end = hub.client->list({surroundings_.cluster, group}, query, [&](ListedDelivery line) {
    if (fresh.size() < lines_in_page) {
      fresh.push_back(std::move(line));
    } else if (!behind) {
      behind = line.delivered_at;
    }
  });
  if (!end) return end.error();
  remember_gap(hub, query.from, *end, followed);
  // Only now that the listing is known to be whole.
  for (ListedDelivery& line : fresh)
    take_in(followed, std::move(line));
  followed.now = end->now;
  if (behind) {
    followed.span = *behind - query.from;
    followed.mark.cursor = *behind;
    return false;
  }
  const bool caught_up = !query.until || *query.until >= end->now;
  const Instant reached = caught_up ? end->now : *query.until;
  followed.mark.cursor = std::max(followed.mark.cursor, reached);
  followed.span = caught_up ? Duration::zero() : followed.span * 2;
  return caught_up;
}

HubResult<void> Tracker::reconcile(HubWork& hub, const std::string& group, Followed& followed) const {
  const Duration begin = surroundings_.clock->elapsed();
  ListingQuery query;
  query.from = followed.pending.begin()->first;
  query.until = followed.pending.rbegin()->first + 1us;
  std::map<Instant, ListedDelivery> listed;
  const auto end = hub.client->list({surroundings_.cluster, group}, query, [&](ListedDelivery line) {
    const Instant at = line.delivered_at;
    if (followed.pending.contains(at)) listed.emplace(at, std::move(line));
  });
  if (!end) return end.error();
  std::vector<Instant> gone;
  for (auto& [at, pending] : followed.pending) {
    if (!listed.contains(at)) gone.push_back(at);
  }
  for (const Instant at : gone) {
    // What was delivered again or purged singly does not move the coverage; what fell to retention does.
    const bool evicted =
        at < end->covered_from && followed.pending.at(at).line.state == DeliveryState::delivered;
    if (evicted) followed.mark.evicted_until = std::max(followed.mark.evicted_until, at);
    followed.evicted += evicted ? 1 : 0;
    followed.pending.erase(at);
  }
  for (auto& [at, line] : listed)
    take_in(followed, std::move(line));
  const Duration took = surroundings_.clock->elapsed() - begin;
  followed.next_reconcile = begin + std::max<Duration>(10s, 20 * took);
  return {};
}

Result<std::optional<TrackerLook>> Tracker::look(std::size_t most_mailboxes, Duration poll) {
  const Duration now = surroundings_.clock->elapsed();
  TrackerLook look;
  Instant start = Instant::max();
  for (auto& [name, followed] : dumpsters_) {
    for (auto& [at, pending] : followed.pending) {
      if (pending.next_look > now || look.mailboxes.size() >= most_mailboxes) continue;
      for (const ListedRecipient& recipient : unconfirmed_of(pending.line, *ledger_))
        look.mailboxes.insert(recipient.mailbox);
      const Duration ahead = surroundings_.clock->now() - followed.now;
      start = std::min({start, at, at + ahead});
    }
  }
  if (look.mailboxes.empty()) return std::optional<TrackerLook>{};
  auto taken = surroundings_.inventory->take(look.mailboxes, start - surroundings_.margin);
  if (!taken) return taken.error();
  look.inventory = std::move(*taken);
  for (auto& [name, followed] : dumpsters_) {
    for (auto pending = followed.pending.begin(); pending != followed.pending.end();) {
      auto& [at, waiting] = *pending;
      const std::size_t before = unconfirmed_of(waiting.line, *ledger_).size();
      confirm(name, waiting.line, look);
      const std::vector<ListedRecipient> left = unconfirmed_of(waiting.line, *ledger_);
      if (left.size() < before) followed.mark.last_confirmed = std::max(followed.mark.last_confirmed, at);
      look.confirmed += before - left.size();
      if (left.empty()) {
        pending = followed.pending.erase(pending);
        continue;
      }
      const bool looked =
          waiting.next_look <= now && std::all_of(left.begin(), left.end(), [&](const auto& recipient) {
            return look.mailboxes.contains(recipient.mailbox);
          });
      // What does not come for long is looked for more and more seldom.
      if (looked) waiting.next_look = now + std::clamp<Duration>((followed.now - at) / 8, poll, 5min);
      ++pending;
    }
  }
  return std::optional{std::move(look)};
}

void Tracker::confirm(const DumpsterName& name, const ListedDelivery& line, TrackerLook& look) const {
  for (const ListedRecipient& recipient : line.recipients) {
    if (!look.mailboxes.contains(recipient.mailbox)) continue;
    const std::uint32_t copies = look.inventory.copies(recipient.mailbox, line.delivery_id);
    if (copies > 0)
      surroundings_.ledger->confirm({name, line.delivered_at, recipient.mailbox, line.delivery_id, copies});
  }
}

void Tracker::mark() {
  for (auto& [name, followed] : dumpsters_) {
    if (!followed.primed) continue;
    followed.mark.low = followed.pending.empty() ? followed.mark.cursor : followed.pending.begin()->first;
    followed.mark.unconfirmed = followed.pending.size();
    surroundings_.ledger->set_watermark(name, followed.mark);
  }
}

}  // namespace recovery::agent
