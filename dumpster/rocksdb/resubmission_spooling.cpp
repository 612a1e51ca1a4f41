#include "dumpster/rocksdb/resubmission_spooling.hpp"

#include <algorithm>
#include <set>

#include "dumpster/rocksdb/lines.hpp"
#include "dumpster/rocksdb/resubmission_records.hpp"
#include "dumpster/rocksdb/spool_changes.hpp"

namespace dumpster::rocks {
namespace {

SpoolEntry& entry_for(OpenSpool& spool, const Delivery& line, std::uint32_t index) {
  if (auto* entry = spool.find(index)) return *entry;
  SpoolEntry entry;
  entry.index = index;
  spool.record.size = line.size;
  spool.record.attempts = std::max(spool.record.attempts, line.attempt);
  spool.record.entries.push_back(std::move(entry));
  return spool.record.entries.back();
}

/// Puts one line that waits into the spool. One that cannot be read stays where it is; one whose message has
/// a damaged spool entry is what it was before.
void release_line(Change& change, const StorageGroup& group, Instant time, Resubmission& record,
                  Instant until, std::set<Uuid>& touched) {
  change.erase(Family::resubmissions, key::waiting(record.id, time));
  const auto line = readable_line(change, group, time);
  if (!line || line->line.resubmission != record.id) return;
  record.resubmitted += line->line.recipients.size();
  if (if_readable([&] { return open_spool(change, line->line.message); })) {
    spool_line(change, group, line->line, record.id, until);
    touched.insert(line->line.message);
  } else {
    alter_part(change, group, *line, indices_of(line->line), revert_to_delivered);
    record.failed += line->line.recipients.size();
  }
}

/// Releases from one resubmission; how many deliveries.
std::size_t release_from(Change& change, const Uuid& id, std::size_t most, std::set<Uuid>& touched) {
  auto& work = change.edit_at_work().at(id);
  const auto times = waiting_lines(change, id, work, most);
  work.waiting = times.size() == most;
  auto record = resubmission_record(change, id);
  const auto plan = if_readable([&] { return resubmission_plan(change, id); });
  if (!record || !plan) {
    work.phase = ResubmissionAtWork::Phase::ending;
    return 0;
  }
  if (!times.empty()) work.next = times.back() + Duration{1};
  const auto before = record->state;
  const auto until = change.clock() + plan->lifetime;
  const auto group = work.group;
  for (const auto time : times)
    release_line(change, group, time, *record, until, touched);
  complete_if_over(change, *record);
  put_resubmission(change, *record, before);
  return times.size();
}

}  // namespace

void note_resubmission(Change& change, HistoryEvent::Kind kind, const StorageGroup& group,
                       const Delivery& line, const Uuid& resubmission) {
  HistoryEvent event;
  event.kind = kind;
  event.message = line.message;
  for (const auto& recipient : line.recipients)
    event.recipients.push_back(recipient.index);
  event.attempt = line.attempt;
  event.group = group;
  event.where = line.node;
  event.resubmission = resubmission;
  change.note(std::move(event));
}

void spool_line(Change& change, const StorageGroup& group, const Delivery& line, const Uuid& resubmission,
                Instant until) {
  note_resubmission(change, HistoryEvent::Kind::resubmitted, group, line, resubmission);
  auto spool = open_spool(change, line.message);
  std::vector<Uuid> others;
  for (const auto& recipient : line.recipients) {
    auto& entry = entry_for(spool, line, recipient.index);
    if (!entry.resubmission.is_nil()) others.push_back(entry.resubmission);
    entry.trying = false;
    entry.next_attempt = change.clock();
    entry.group = group;
    entry.mailbox = recipient.mailbox;
    entry.line = line.delivered_at;
    entry.in_doubt = false;
    entry.from_backup = false;  // somebody has decided about it
    entry.in_doubt_since = {};
    entry.ever_delivered = line.ever_delivered;
    entry.resubmission = resubmission;
    entry.resubmit_until = until;
  }
  for (const auto& other : others)
    leave_other(change, other, Ending::cancelled, spool);
  close_spool(change, spool);
  change.put(Family::resubmissions, key::spooled(resubmission, line.message), {});
  change.edit_at_work().at(resubmission).spooled += line.recipients.size();
}

void leave_other(Change& change, const Uuid& other, Ending ending, const OpenSpool& spool) {
  count_ending(change, other, ending, 1);
  forget_if_settled(change, other, spool);
}

std::vector<Instant> waiting_lines(const Change& change, const Uuid& resubmission,
                                   const ResubmissionAtWork& work, std::size_t most) {
  std::vector<Instant> times;
  if (most == 0) return times;
  // Never from the start again: what was released is behind tombstones.
  change.walk(Family::resubmissions, key::waiting(resubmission, work.next),
              key::behind(key::all_waiting(resubmission)), [&](std::string_view key, std::string_view) {
                times.push_back(key::delivered_at_of_waiting(key));
                return times.size() < most;
              });
  return times;
}

std::vector<Uuid> release(Change& change, std::string_view cluster, std::size_t most) {
  std::vector<Uuid> sources;
  for (const auto& [id, work] : change.tables().at_work) {
    const bool runs = work.phase == ResubmissionAtWork::Phase::running && !work.paused && work.waiting;
    if (runs && work.group.cluster == cluster) sources.push_back(id);
  }
  std::set<Uuid> touched;
  for (std::size_t i = 0; i < sources.size() && most > 0; ++i) {
    const auto share = std::max<std::size_t>(1, most / (sources.size() - i));
    most -= std::min(most, release_from(change, sources[i], share, touched));
  }
  return {touched.begin(), touched.end()};
}

void pause(Change& change, std::string_view cluster, bool paused) {
  std::vector<Uuid> ids;
  for (const auto& [id, work] : change.tables().at_work) {
    if (work.phase == ResubmissionAtWork::Phase::running && work.group.cluster == cluster &&
        work.paused != paused)
      ids.push_back(id);
  }
  for (const auto& id : ids) {
    auto record = resubmission_record(change, id);
    if (!record) continue;
    const auto before = record->state;
    record->state = paused ? ResubmissionState::paused : ResubmissionState::running;
    put_resubmission(change, *record, before);
    change.edit_at_work().at(id).paused = paused;
  }
}

}  // namespace dumpster::rocks
