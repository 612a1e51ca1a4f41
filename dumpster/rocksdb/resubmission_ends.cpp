#include <algorithm>

#include "dumpster/rocksdb/lines.hpp"
#include "dumpster/rocksdb/resubmission_changes.hpp"
#include "dumpster/rocksdb/resubmission_records.hpp"
#include "dumpster/rocksdb/spool_changes.hpp"

namespace dumpster::rocks {
namespace {

constexpr std::size_t most_kept = 1000;
constexpr Duration longest_kept = std::chrono::hours{24 * 7};
/// How many are forgotten in one write.
constexpr std::size_t most_forgotten = 100;

bool is_finished(ResubmissionState state) {
  return state == ResubmissionState::completed || state == ResubmissionState::cancelled;
}

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

/// What had been delivered stands as that again and leaves the spool; what never was is in doubt again.
std::uint64_t take_back(Change& change, OpenSpool& spool, const Uuid& resubmission) {
  std::uint64_t recipients = 0;
  for (const auto& [place, indices] : lines_resubmitted(spool, resubmission)) {
    const auto line = line_at(change, place.first, place.second);
    if (!line) throw Refused{{Fault::damaged, "a spooled message names a delivery that is not there"}};
    recipients += indices.size();
    if (line->line.ever_delivered) {
      alter_part(change, place.first, *line, indices, revert_to_delivered);
      for (const auto index : indices)
        spool.erase(index);
      continue;
    }
    const auto time = alter_part(change, place.first, *line, indices, [](LineRecord& in_doubt) {
      in_doubt.line.state = DeliveryState::in_doubt;
      in_doubt.line.resubmission = {};
    });
    for (const auto index : indices) {
      auto* entry = spool.find(index);
      entry->line = time;
      entry->in_doubt = true;
      entry->in_doubt_since = change.clock();
      entry->resubmission = {};
      entry->resubmit_until = {};
    }
  }
  return recipients;
}

std::vector<Uuid> end_one(Change& change, Resubmission record) {
  auto touched = messages_of(change, record.id);
  std::uint64_t recipients = 0;
  for (const auto& message : touched) {
    auto spool = open_spool(change, message);
    recipients += take_back(change, spool, record.id);
    close_spool(change, spool);
    change.erase(Family::resubmissions, key::spooled(record.id, message));
  }
  const auto before = record.state;
  record.state = ResubmissionState::cancelled;
  record.cancelled += recipients;
  if (recipients > 0) change.counted().resubmitted["cancelled"] += recipients;
  put_resubmission(change, record, before);
  return touched;
}

}  // namespace

std::vector<Uuid> cancel(Change& change, const Uuid& id) {
  auto record = resubmission_record(change, id);
  if (!record) throw Refused{{Fault::not_found, "there is no resubmission " + to_string(id)}};
  if (is_finished(record->state)) return {};
  return end_one(change, std::move(*record));
}

std::vector<Uuid> end_resubmissions(Change& change, std::string_view cluster) {
  std::vector<Resubmission> running;
  const auto prefix = key::all_resubmissions();
  change.walk(Family::resubmissions, prefix, key::behind(prefix),
              [&](std::string_view key, std::string_view payload) {
                auto record = value_or_refuse(decode_resubmission(key::uuid_at(key, 1), payload));
                if (!is_finished(record.state) && record.group.cluster == cluster)
                  running.push_back(std::move(record));
                return true;
              });
  std::vector<Uuid> touched;
  for (auto& record : running) {
    const auto messages = end_one(change, std::move(record));
    touched.insert(touched.end(), messages.begin(), messages.end());
  }
  std::sort(touched.begin(), touched.end());
  touched.erase(std::unique(touched.begin(), touched.end()), touched.end());
  return touched;
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
                if (is_finished(record.state)) going.push_back(std::move(record));
                return true;
              });
  for (const auto& record : going) {
    change.erase(Family::resubmissions, key::resubmission(record.id));
    change.erase(Family::resubmissions, key::resubmission_key(record.group, record.key));
    change.erase(Family::resubmissions, key::not_found(record.id));
    change.count_resubmission(record.state, -1);
  }
}

}  // namespace dumpster::rocks
