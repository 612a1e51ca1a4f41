#include <algorithm>
#include <map>
#include <set>

#include "dumpster/rocksdb/lines.hpp"
#include "dumpster/rocksdb/resubmission_changes.hpp"
#include "dumpster/rocksdb/resubmission_records.hpp"
#include "dumpster/rocksdb/resubmission_spooling.hpp"
#include "dumpster/rocksdb/spool_changes.hpp"

namespace dumpster::rocks {
namespace {

constexpr std::size_t most_kept = 1000;
constexpr Duration longest_kept = std::chrono::hours{24 * 7};
/// How many are forgotten in one write.
constexpr std::size_t most_forgotten = 100;
/// And how many lines are given back.
constexpr std::size_t most_given_back = 1000;

std::vector<Uuid> messages_of(const Change& change, const Uuid& resubmission) {
  const auto prefix = key::all_spooled(resubmission);
  std::vector<Uuid> messages;
  change.walk(Family::resubmissions, prefix, key::behind(prefix),
              [&](std::string_view key, std::string_view) {
                messages.push_back(key::uuid_at(key, 17));
                return true;
              });
  return messages;
}

/// The recipients of a message that belong to a resubmission, by the line that they stand in.
std::map<std::pair<StorageGroup, Instant>, Indices> lines_resubmitted(const OpenSpool& spool,
                                                                      const Uuid& resubmission) {
  std::map<std::pair<StorageGroup, Instant>, Indices> lines;
  for (const auto& entry : spool.record.entries) {
    if (entry.resubmission == resubmission && entry.group)
      lines[{*entry.group, entry.line}].insert(entry.index);
  }
  return lines;
}

void put_in_doubt_again(LineRecord& line) {
  line.line.state = DeliveryState::in_doubt;
  line.line.resubmission = {};
}

/// What had been delivered stands as that again and leaves the spool; what never was is in doubt again. A
/// line that cannot be read stays as it is.
void take_back(Change& change, OpenSpool& spool, const Uuid& resubmission) {
  for (const auto& [place, indices] : lines_resubmitted(spool, resubmission)) {
    const auto line = readable_line(change, place.first, place.second);
    if (spool.find(*indices.begin())->ever_delivered) {
      if (line) alter_part(change, place.first, *line, indices, revert_to_delivered);
      for (const auto index : indices)
        spool.erase(index);
      continue;
    }
    const auto time =
        line ? alter_part(change, place.first, *line, indices, put_in_doubt_again) : place.second;
    for (const auto index : indices) {
      auto* entry = spool.find(index);
      entry->line = time;
      entry->in_doubt = true;
      entry->in_doubt_since = change.clock();
      entry->resubmission = {};
      entry->resubmit_until = {};
    }
  }
}

/// The spool entry of the message cannot be read: its lines are found by their delivery id.
void take_back_lines(Change& change, const StorageGroup& group, const Uuid& message,
                     const Uuid& resubmission) {
  const auto id = delivery_id_of(message, group.cluster, group.group);
  const auto lines = if_readable([&] { return lines_of(change, group, id); });
  if (!lines) return;
  for (const auto& line : *lines) {
    if (line.line.resubmission != resubmission) continue;
    const auto alter = line.line.ever_delivered ? revert_to_delivered : put_in_doubt_again;
    alter_part(change, group, line, indices_of(line.line), alter);
  }
}

/// Takes all that a resubmission has in the spool out of it; the messages.
std::vector<Uuid> take_back_all(Change& change, const Uuid& id, const std::optional<StorageGroup>& group) {
  auto touched = messages_of(change, id);
  for (const auto& message : touched) {
    if (auto spool = if_readable([&] { return open_spool(change, message); })) {
      take_back(change, *spool, id);
      close_spool(change, *spool);
    } else if (group) {
      take_back_lines(change, *group, message, id);
    }
    change.erase(Family::resubmissions, key::spooled(id, message));
  }
  return touched;
}

void forget(Change& change, const Resubmission& record) {
  change.erase(Family::resubmissions, key::resubmission(record.id));
  change.erase(Family::resubmissions, key::resubmission_key(record.group, record.key));
  change.erase(Family::resubmissions, key::not_found(record.id));
  change.erase(Family::resubmissions, key::plan(record.id));
  change.count_resubmission(record.state, -1);
}

void count_as_cancelled(Change& change, Resubmission& record) {
  const auto before = record.state;
  const auto ended = record.delivered + record.failed + record.cancelled;
  const auto recipients = record.matched - std::min(record.matched, ended);
  record.state = ResubmissionState::cancelled;
  record.cancelled += recipients;
  if (recipients > 0) change.counted().resubmitted["cancelled"] += recipients;
  put_resubmission(change, record, before);
}

/// What is in the spool is taken back at once; what waits counts as taken back from now on, and is given back
/// piece by piece. Without `record` (it is damaged) nothing is counted.
std::vector<Uuid> end_one(Change& change, const Uuid& id, std::optional<Resubmission> record) {
  auto& at_work = change.edit_at_work();
  const auto work = at_work.find(id);
  const auto group = work == at_work.end() ? std::nullopt : std::optional{work->second.group};
  auto touched = take_back_all(change, id, group);
  if (record) count_as_cancelled(change, *record);
  if (work == at_work.end()) return touched;
  work->second.spooled = 0;
  work->second.phase = ResubmissionAtWork::Phase::ending;
  if (!work->second.waiting && !is_choosing(change, id)) {
    at_work.erase(work);
    change.erase(Family::resubmissions, key::plan(id));
  }
  return touched;
}

/// Gives back what still waited, a piece of it; the last piece ends the work.
std::vector<Uuid> give_back(Change& change, const Uuid& id) {
  auto& work = change.edit_at_work().at(id);
  auto record = resubmission_record(change, id);
  std::vector<Uuid> touched;
  // A list that was interrupted is not over yet: its record says that it runs.
  if (!record || !is_finished(record->state)) {
    touched = end_one(change, id, std::move(record));
    if (!change.tables().at_work.contains(id)) return touched;
    record = resubmission_record(change, id);
  }
  const auto times = waiting_lines(change, id, work, most_given_back);
  for (const auto time : times) {
    const auto line = readable_line(change, work.group, time);
    // Another request may have taken it over.
    if (line && line->line.resubmission == id)
      alter_part(change, work.group, *line, indices_of(line->line), revert_to_delivered);
    change.erase(Family::resubmissions, key::waiting(id, time));
    work.next = time + Duration{1};
  }
  if (times.size() == most_given_back) return touched;
  change.edit_at_work().erase(id);
  if (record && is_choosing(change, id)) {
    forget(change, *record);
  } else {
    change.erase(Family::resubmissions, key::plan(id));
  }
  return touched;
}

/// Resubmissions of the cluster whose records could not be read when the store was opened: known by what they
/// have in the spool.
std::set<Uuid> unknown_ones(const Change& change, std::string_view cluster) {
  std::map<Uuid, Uuid> messages;  // one of each
  const auto prefix = key::all_spooled();
  change.walk(Family::resubmissions, prefix, key::behind(prefix),
              [&](std::string_view key, std::string_view) {
                const auto id = key::uuid_at(key, 1);
                if (!change.tables().at_work.contains(id)) messages.emplace(id, key::uuid_at(key, 17));
                return true;
              });
  std::set<Uuid> unknown;
  for (const auto& [id, message] : messages) {
    const auto spool = if_readable([&, of = message] { return open_spool(change, of); });
    if (!spool) continue;
    const auto& entries = spool->record.entries;
    const bool its = std::any_of(entries.begin(), entries.end(), [&, of = id](const SpoolEntry& entry) {
      return entry.resubmission == of && entry.group && entry.group->cluster == cluster;
    });
    if (its) unknown.insert(id);
  }
  return unknown;
}

}  // namespace

std::vector<Uuid> cancel(Change& change, const Uuid& id) {
  auto record = resubmission_record(change, id);
  if (!record && !change.tables().at_work.contains(id))
    throw Refused{{Fault::not_found, "there is no resubmission " + to_string(id)}};
  if (record && is_finished(record->state)) return {};
  return end_one(change, id, std::move(record));
}

void abandon(Change& change, const Uuid& id) {
  auto& at_work = change.edit_at_work();
  const auto work = at_work.find(id);
  if (work != at_work.end() && work->second.phase == ResubmissionAtWork::Phase::choosing)
    work->second.phase = ResubmissionAtWork::Phase::ending;
}

std::vector<Uuid> end_resubmissions(Change& change, std::string_view cluster) {
  auto going = unknown_ones(change, cluster);
  for (const auto& [id, work] : change.tables().at_work) {
    if (work.group.cluster == cluster) going.insert(id);
  }
  std::vector<Uuid> touched;
  for (const auto& id : going) {
    auto record = resubmission_record(change, id);
    if (record && is_finished(record->state)) continue;
    const auto messages = end_one(change, id, std::move(record));
    touched.insert(touched.end(), messages.begin(), messages.end());
  }
  std::sort(touched.begin(), touched.end());
  touched.erase(std::unique(touched.begin(), touched.end()), touched.end());
  return touched;
}

std::vector<Uuid> settle_piece(Change& change) {
  std::optional<Uuid> interrupted;
  for (const auto& [id, work] : change.tables().at_work) {
    if (work.ending()) return give_back(change, Uuid{id});
    if (work.orphaned && !interrupted) interrupted = id;
  }
  if (!interrupted) return {};
  auto preparation = if_readable([&] { return adopt(change, *interrupted); });
  if (!preparation) {
    abandon(change, *interrupted);
    return {};
  }
  auto accepted = choose_piece(change, *preparation);
  return accepted ? std::move(accepted->touched) : std::move(preparation->touched);
}

void forget_old_resubmissions(Change& change) {
  std::uint64_t kept = 0;
  for (const auto& [state, count] : change.tables().resubmissions)
    kept += count;
  std::vector<Resubmission> going;
  const auto prefix = key::all_resubmissions();
  change.walk(Family::resubmissions, prefix, key::behind(prefix),
              [&](std::string_view key, std::string_view payload) {
                auto record = value_or_refuse(decode_resubmission(key::uuid_at(key, 1), payload));
                const bool too_old = record.created_at + longest_kept < change.clock();
                if ((!too_old && kept - going.size() <= most_kept) || going.size() == most_forgotten)
                  return false;
                const bool over = is_finished(record.state) && !change.tables().at_work.contains(record.id);
                if (over) going.push_back(std::move(record));
                return true;
              });
  for (const auto& record : going)
    forget(change, record);
}

}  // namespace dumpster::rocks
