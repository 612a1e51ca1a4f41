#include "dumpster/rocksdb/resubmission_records.hpp"

namespace dumpster::rocks {

std::optional<Resubmission> resubmission_record(const Change& change, const Uuid& id) {
  const auto stored = change.get(Family::resubmissions, key::resubmission(id));
  if (!stored) return std::nullopt;
  return value_or_refuse(decode_resubmission(id, *stored));
}

void put_resubmission(Change& change, const Resubmission& record, std::optional<ResubmissionState> before) {
  change.put(Family::resubmissions, key::resubmission(record.id), encode(record));
  if (before) change.count_resubmission(*before, -1);
  change.count_resubmission(record.state, +1);
}

void count_ending(Change& change, const Uuid& resubmission, Ending ending, std::uint64_t recipients) {
  if (resubmission.is_nil() || recipients == 0) return;
  auto record = resubmission_record(change, resubmission);
  if (!record) return;
  const auto before = record->state;
  auto& counted = change.counted().resubmitted;
  switch (ending) {
    case Ending::delivered:
      record->delivered += recipients;
      counted["delivered"] += recipients;
      break;
    case Ending::failed:
      record->failed += recipients;
      counted["failed"] += recipients;
      break;
    case Ending::cancelled:
      record->cancelled += recipients;
      counted["cancelled"] += recipients;
      break;
  }
  const bool over = record->delivered + record->failed + record->cancelled >= record->matched;
  if (over && record->state != ResubmissionState::cancelled) record->state = ResubmissionState::completed;
  put_resubmission(change, *record, before);
}

void forget_if_settled(Change& change, const Uuid& resubmission, const OpenSpool& spool) {
  if (resubmission.is_nil()) return;
  for (const auto& entry : spool.record.entries) {
    if (entry.resubmission == resubmission) return;
  }
  change.erase(Family::resubmissions, key::spooled(resubmission, spool.message));
}

}  // namespace dumpster::rocks
