#include "dumpster/rocksdb/resubmission_records.hpp"

#include <algorithm>

namespace dumpster::rocks {

std::optional<Resubmission> resubmission_record(const Change& change, const Uuid& id) {
  return if_readable([&]() -> std::optional<Resubmission> {
           const auto stored = change.get(Family::resubmissions, key::resubmission(id));
           if (!stored) return std::nullopt;
           return value_or_refuse(decode_resubmission(id, *stored));
         })
      .value_or(std::nullopt);
}

void put_resubmission(Change& change, const Resubmission& record, std::optional<ResubmissionState> before) {
  change.put(Family::resubmissions, key::resubmission(record.id), encode(record));
  if (before) change.count_resubmission(*before, -1);
  change.count_resubmission(record.state, +1);
}

ResubmissionPlan resubmission_plan(const Change& change, const Uuid& id) {
  const auto stored = change.get(Family::resubmissions, key::plan(id));
  return stored ? value_or_refuse(decode_plan(*stored)) : ResubmissionPlan{};
}

bool is_choosing(const Change& change, const Uuid& id) {
  const auto plan = if_readable([&] { return resubmission_plan(change, id); });
  return plan && plan->choosing;
}

void put_plan(Change& change, const Resubmission& record, const ResubmissionPlan& plan) {
  if (is_finished(record.state)) {
    change.erase(Family::resubmissions, key::plan(record.id));
  } else {
    change.put(Family::resubmissions, key::plan(record.id), encode(plan));
  }
}

bool is_finished(ResubmissionState state) {
  return state == ResubmissionState::completed || state == ResubmissionState::cancelled;
}

bool is_settled(const Resubmission& record) {
  return record.delivered + record.failed + record.cancelled >= record.matched;
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
  auto& at_work = change.edit_at_work();
  const auto work = at_work.find(resubmission);
  if (work != at_work.end()) work->second.spooled -= std::min(work->second.spooled, recipients);
  complete_if_over(change, *record);
  put_resubmission(change, *record, before);
}

void complete_if_over(Change& change, Resubmission& record) {
  auto& at_work = change.edit_at_work();
  const auto work = at_work.find(record.id);
  const bool known = work != at_work.end();
  if (is_finished(record.state) || (known && work->second.phase != ResubmissionAtWork::Phase::running))
    return;
  if (known && !work->second.waiting && work->second.spooled == 0 && !is_settled(record)) {
    const auto lost = record.matched - (record.delivered + record.failed + record.cancelled);
    record.resubmitted += lost;
    record.failed += lost;
    change.counted().resubmitted["failed"] += lost;
  }
  if (!is_settled(record)) return;
  record.state = ResubmissionState::completed;
  at_work.erase(record.id);
  change.erase(Family::resubmissions, key::plan(record.id));
}

void forget_if_settled(Change& change, const Uuid& resubmission, const OpenSpool& spool) {
  if (resubmission.is_nil()) return;
  for (const auto& entry : spool.record.entries) {
    if (entry.resubmission == resubmission) return;
  }
  change.erase(Family::resubmissions, key::spooled(resubmission, spool.message));
}

namespace {

bool lines_wait(const Database& database, const Uuid& id) {
  bool found = false;
  const auto prefix = key::all_waiting(id);
  value_or_refuse(database.walk(Family::resubmissions, prefix, key::behind(prefix), [&](auto, auto) {
    found = true;
    return false;
  }));
  return found;
}

}  // namespace

std::map<Uuid, ResubmissionAtWork> read_at_work(const Database& database, const Tables& tables) {
  using Phase = ResubmissionAtWork::Phase;
  std::map<Uuid, ResubmissionAtWork> at_work;
  const auto prefix = key::all_resubmissions();
  const auto read = [&](std::string_view key, std::string_view payload) {
    const auto id = key::uuid_at(key, 1);
    const auto record = value_or_refuse(decode_resubmission(id, payload));
    if (tables.find_group(record.group) == nullptr) return true;
    const auto read_plan = [&]() -> std::optional<ResubmissionPlan> {
      const auto stored = value_or_refuse(database.get(Family::resubmissions, key::plan(id)));
      if (!stored) return std::nullopt;
      return value_or_refuse(decode_plan(*stored));
    };
    const auto stored = if_readable(read_plan);
    const bool lost = !stored;
    if (!lost && !*stored && is_finished(record.state)) return true;
    const auto plan = stored.value_or(std::nullopt).value_or(ResubmissionPlan{});
    ResubmissionAtWork work;
    work.group = record.group;
    work.orphaned = plan.choosing;
    work.paused = record.state == ResubmissionState::paused;
    work.waiting = lines_wait(database, id);
    const auto ended = record.delivered - plan.present + record.failed + record.cancelled;
    work.spooled = record.resubmitted - std::min(record.resubmitted, ended);
    if (plan.choosing) work.phase = plan.by_items ? Phase::ending : Phase::choosing;
    // Without its plan nobody knows how long its deliveries last, or whether its set is whole.
    if (is_finished(record.state) || lost) work.phase = Phase::ending;
    at_work.emplace(id, work);
    return true;
  };
  value_or_refuse(database.walk(Family::resubmissions, prefix, key::behind(prefix), read));
  return at_work;
}

}  // namespace dumpster::rocks
