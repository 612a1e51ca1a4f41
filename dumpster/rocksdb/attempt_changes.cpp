#include "dumpster/rocksdb/attempt_changes.hpp"

#include <algorithm>
#include <map>
#include <tuple>

#include "dumpster/rocksdb/lines.hpp"
#include "dumpster/rocksdb/resubmission_records.hpp"
#include "dumpster/rocksdb/spool_changes.hpp"

namespace dumpster::rocks {
namespace {

using Kind = RecipientOutcome::Kind;

/// A line of a group that recipients still stand in.
using LinePlace = std::pair<StorageGroup, Instant>;

HistoryEvent::Kind event_of(Kind kind, bool superseded) {
  switch (kind) {
    case Kind::delivered:
      return superseded ? HistoryEvent::Kind::in_doubt : HistoryEvent::Kind::delivered;
    case Kind::in_doubt:
      return HistoryEvent::Kind::in_doubt;
    case Kind::refused:
      return HistoryEvent::Kind::bounced;
    case Kind::deleted:
      return HistoryEvent::Kind::deleted;
    case Kind::delayed:
      return HistoryEvent::Kind::delayed;
    case Kind::deferred:
      break;
  }
  return HistoryEvent::Kind::deferred;
}

/// One attempt while it is recorded.
class Recording {
 public:
  Recording(Change& change, const AttemptOutcome& outcome)
      : change_(change), outcome_(outcome), spool_(open_spool(change, outcome.message)) {}

  AttemptRecorded run();

 private:
  void refuse_contradictions() const;
  bool target_is_current() const;
  void sort_recipient(const RecipientOutcome& recipient, bool superseded);

  void note_history(bool superseded);
  void record_delivered();
  void record_in_doubt();
  void record_refused();
  void record_deleted();

  /// Takes recipients out of the lines that they stand in; a line that cannot be read stays as it is.
  std::map<LinePlace, LineRecord> take_from_lines(const std::vector<std::uint32_t>& indices);
  std::map<LinePlace, Indices> places_of(const std::vector<std::uint32_t>& indices);
  LineRecord new_line(DeliveryState state) const;
  DeliveryRecipient recipient_at(std::uint32_t index) const;
  void leave_spool(const std::vector<std::uint32_t>& indices, Ending ending);
  const RecipientOutcome& outcome_of(std::uint32_t index) const { return *by_index_.at(index); }

  Change& change_;
  const AttemptOutcome& outcome_;
  OpenSpool spool_;
  Message message_;
  std::map<std::uint32_t, const RecipientOutcome*> by_index_;
  std::vector<std::uint32_t> delivered_;
  std::vector<std::uint32_t> in_doubt_;
  std::vector<std::uint32_t> refused_;
  std::vector<std::uint32_t> deleted_;
};

void Recording::refuse_contradictions() const {
  if (outcome_.target) {
    const auto& group = change_.group(outcome_.target->group);
    change_.cluster(group.name.cluster);
    return;
  }
  for (const auto& recipient : outcome_.recipients) {
    if (recipient.kind == Kind::in_doubt) {
      throw Refused{{Fault::invalid, "only an attempt for a storage group can fall in doubt"}};
    }
  }
}

bool Recording::target_is_current() const {
  const auto& cluster = change_.cluster(outcome_.target->group.cluster).record;
  return cluster.active == outcome_.target->node && cluster.term == outcome_.target->term;
}

void Recording::sort_recipient(const RecipientOutcome& recipient, bool superseded) {
  auto* entry = spool_.find(recipient.index);
  if (entry == nullptr || !by_index_.emplace(recipient.index, &recipient).second) return;
  if (recipient.kind == Kind::delayed) {
    entry->delay_told = true;
    return;
  }
  entry->trying = false;
  // The doubt about what became of it elsewhere is the first one recorded; what comes then was an attempt.
  if (recipient.kind != Kind::in_doubt || entry->in_doubt) entry->from_backup = false;
  entry->last_reply = recipient.reply;
  entry->attempts += 1;
  switch (recipient.kind) {
    case Kind::delivered:
      (superseded ? in_doubt_ : delivered_).push_back(recipient.index);
      break;
    case Kind::in_doubt:
      in_doubt_.push_back(recipient.index);
      break;
    case Kind::deferred:
      entry->next_attempt = recipient.next_attempt;
      break;
    case Kind::refused:
      refused_.push_back(recipient.index);
      break;
    case Kind::deleted:
      deleted_.push_back(recipient.index);
      break;
    case Kind::delayed:
      break;
  }
}

AttemptRecorded Recording::run() {
  refuse_contradictions();
  AttemptRecorded recorded;
  recorded.superseded = outcome_.target && !target_is_current();
  if (spool_.existed) {
    message_ = message_record(change_, outcome_.message);
    for (const auto& recipient : outcome_.recipients)
      sort_recipient(recipient, recorded.superseded);
    note_history(recorded.superseded);
    record_delivered();
    record_in_doubt();
    record_refused();
    record_deleted();
    spool_.record.attempts = std::max(spool_.record.attempts, outcome_.attempt);
    close_spool(change_, spool_);
  }
  // A repeated call finds nobody, and has given its notification before.
  const bool repeated = by_index_.empty() && !outcome_.recipients.empty();
  if (outcome_.notification && !repeated) accept(change_, *outcome_.notification);
  if (!spool_.record.entries.empty()) {
    recorded.left = SpooledMessage{message_, spool_.record.attempts, spool_.record.entries};
  }
  return recorded;
}

/// One event for all who had the same end, the same words and the same reason to be there.
void Recording::note_history(bool superseded) {
  std::map<std::tuple<HistoryEvent::Kind, std::string, Uuid>, std::vector<std::uint32_t>> alike;
  for (const auto& [index, recipient] : by_index_)
    alike[{event_of(recipient->kind, superseded), recipient->reply, spool_.find(index)->resubmission}]
        .push_back(index);
  for (auto& [what, recipients] : alike) {
    HistoryEvent event;
    std::tie(event.kind, event.reply, event.resubmission) = what;
    event.message = outcome_.message;
    event.recipients = std::move(recipients);
    event.attempt = outcome_.attempt;
    event.where = outcome_.where;
    if (outcome_.target) {
      event.group = outcome_.target->group;
      event.where = outcome_.target->node;
      event.retained =
          event.kind == HistoryEvent::Kind::delivered && !change_.group(*event.group).limits.off();
    }
    change_.note(std::move(event));
  }
}

std::map<LinePlace, Indices> Recording::places_of(const std::vector<std::uint32_t>& indices) {
  std::map<LinePlace, Indices> places;
  for (const auto index : indices) {
    const auto* entry = spool_.find(index);
    if (entry->group) places[{*entry->group, entry->line}].insert(index);
  }
  return places;
}

std::map<LinePlace, LineRecord> Recording::take_from_lines(const std::vector<std::uint32_t>& indices) {
  std::map<LinePlace, LineRecord> taken;
  for (const auto& [place, standing] : places_of(indices)) {
    if (const auto line = readable_line(change_, place.first, place.second))
      taken.emplace(place, take_part(change_, place.first, *line, standing));
  }
  return taken;
}

LineRecord Recording::new_line(DeliveryState state) const {
  const auto& target = *outcome_.target;
  LineRecord record;
  auto& line = record.line;
  line.delivery_id = delivery_id_of(outcome_.message, target.group.cluster, target.group.group);
  line.message = outcome_.message;
  line.message_id = message_.message_id;
  line.size = message_.size;
  line.node = target.node;
  line.term = target.term;
  line.attempt = outcome_.attempt;
  line.state = state;
  return record;
}

DeliveryRecipient Recording::recipient_at(std::uint32_t index) const {
  const auto& recipients = message_.envelope.recipients;
  if (index >= recipients.size()) throw Refused{{Fault::damaged, "a spool entry names no recipient"}};
  return {index, recipients[index].address, outcome_of(index).mailbox};
}

void Recording::leave_spool(const std::vector<std::uint32_t>& indices, Ending ending) {
  std::map<Uuid, std::uint64_t> ended;
  for (const auto index : indices) {
    ended[spool_.find(index)->resubmission] += 1;
    spool_.erase(index);
  }
  for (const auto& [resubmission, recipients] : ended) {
    count_ending(change_, resubmission, ending, recipients);
    forget_if_settled(change_, resubmission, spool_);
  }
}

void Recording::record_delivered() {
  if (delivered_.empty()) return;
  take_from_lines(delivered_);
  if (outcome_.target && !change_.group(outcome_.target->group).limits.off()) {
    auto record = new_line(DeliveryState::delivered);
    record.line.ever_delivered = true;
    record.line.delivered_at = change_.next_time();
    for (const auto index : delivered_)
      record.line.recipients.push_back(recipient_at(index));
    insert_line(change_, outcome_.target->group, record);
    count_retained(change_, outcome_.target->group, record);
  }
  leave_spool(delivered_, Ending::delivered);
}

void Recording::record_in_doubt() {
  if (in_doubt_.empty()) return;
  // What had been delivered before keeps the memory of that, so it stands in a line of its own.
  std::map<std::optional<LinePlace>, std::vector<std::uint32_t>> by_earlier;
  std::map<LinePlace, LineRecord> earlier = take_from_lines(in_doubt_);
  for (const auto index : in_doubt_) {
    const auto* entry = spool_.find(index);
    std::optional<LinePlace> from;
    if (entry->group && entry->ever_delivered) from = LinePlace{*entry->group, entry->line};
    by_earlier[from].push_back(index);
  }
  for (const auto& [from, indices] : by_earlier) {
    auto record = new_line(DeliveryState::in_doubt);
    record.line.delivered_at = change_.next_time();
    if (from) {
      record.line.ever_delivered = true;
      const auto before = earlier.find(*from);
      if (before != earlier.end()) {
        const auto& line = before->second.line;
        record.earlier = before->second.earlier ? before->second.earlier
                                                : EarlierDelivery{line.node, line.term, line.attempt};
      }
    }
    for (const auto index : indices) {
      record.line.recipients.push_back(recipient_at(index));
      auto* entry = spool_.find(index);
      entry->group = outcome_.target->group;
      entry->mailbox = outcome_of(index).mailbox;
      entry->line = record.line.delivered_at;
      entry->in_doubt = true;
      entry->in_doubt_since = change_.clock();
      entry->ever_delivered = record.line.ever_delivered;
      entry->next_attempt = outcome_of(index).next_attempt;
    }
    insert_line(change_, outcome_.target->group, record);
  }
}

void Recording::record_refused() {
  for (const auto& [place, indices] : places_of(refused_)) {
    const auto line = readable_line(change_, place.first, place.second);
    if (!line) continue;
    if (!line->line.ever_delivered) {
      take_part(change_, place.first, *line, indices);
      continue;
    }
    alter_part(change_, place.first, *line, indices, [](LineRecord& failed) {
      failed.line.state = DeliveryState::failed;
      failed.line.resubmission = {};
    });
  }
  leave_spool(refused_, Ending::failed);
}

void Recording::record_deleted() {
  for (const auto& [place, indices] : places_of(deleted_)) {
    const auto line = readable_line(change_, place.first, place.second);
    if (!line) continue;
    if (line->line.ever_delivered) {
      alter_part(change_, place.first, *line, indices, revert_to_delivered);
    } else {
      take_part(change_, place.first, *line, indices);
    }
  }
  leave_spool(deleted_, Ending::cancelled);
}

}  // namespace

AttemptRecorded record_attempt(Change& change, const AttemptOutcome& outcome) {
  return Recording{change, outcome}.run();
}

}  // namespace dumpster::rocks
