#include "dumpster/rocksdb/change.hpp"

#include <algorithm>
#include <utility>

#include "dumpster/codec.hpp"

namespace dumpster::rocks {
namespace {

constexpr std::size_t at(Family family) {
  return static_cast<std::size_t>(family);
}

/// The part of an overlay's family within `[from, until)`.
template <class Map>
auto range(const Map& map, std::string_view from, std::string_view until) {
  return std::pair{map.lower_bound(from), until.empty() ? map.end() : map.lower_bound(until)};
}

}  // namespace

void Counted::add(const Counted& more) {
  for (const auto& [group, more_retained] : more.retained) {
    auto& sum = retained[group];
    sum.deliveries += more_retained.deliveries;
    sum.bytes += more_retained.bytes;
  }
  for (const auto& [reason, count] : more.removed)
    removed[reason] += count;
  for (const auto& [group, count] : more.unconfirmed)
    unconfirmed[group] += count;
  for (const auto& [result, count] : more.resubmitted)
    resubmitted[result] += count;
}

std::uint32_t chunks_of(std::uint64_t size) {
  return static_cast<std::uint32_t>((size + body_chunk_size - 1) / body_chunk_size);
}

Change::Change(const Database& database, Tables& tables, Batch& batch, Instant clock)
    : database_(database),
      tables_(tables),
      batch_(batch),
      clock_(clock),
      saved_hub_(tables.hub),
      saved_resubmissions_(tables.resubmissions) {}

Change::~Change() {
  if (joined_) return;
  tables_.hub = saved_hub_;
  tables_.resubmissions = saved_resubmissions_;
  for (auto& [name, record] : saved_clusters_)
    tables_.clusters.find(name)->second.record = record;
  for (auto& [name, entry] : saved_groups_)
    tables_.groups.find(name)->second = entry;
  if (saved_at_work_) tables_.at_work = std::move(*saved_at_work_);
}

const std::optional<std::string>* Change::pending(Family family, std::string_view key) const {
  for (const Overlay* overlay : {&std::as_const(overlay_), &std::as_const(batch_.overlay)}) {
    const auto& map = (*overlay)[at(family)];
    const auto found = map.find(key);
    if (found != map.end()) return &found->second;
  }
  return nullptr;
}

std::optional<std::string> Change::get(Family family, std::string_view key) const {
  const auto* waiting = pending(family, key);
  if (waiting == nullptr) return value_or_refuse(database_.get(family, key));
  if (!waiting->has_value()) return std::nullopt;
  return std::string{value_or_refuse(unseal(key, **waiting))};
}

bool Change::exists(Family family, std::string_view key) const {
  const auto* waiting = pending(family, key);
  return waiting != nullptr ? waiting->has_value() : value_or_refuse(database_.exists(family, key));
}

void Change::put(Family family, std::string key, std::string_view payload) {
  auto sealed = seal(key, payload);
  overlay_[at(family)].insert_or_assign(std::move(key), std::move(sealed));
}

void Change::erase(Family family, std::string key) {
  overlay_[at(family)].insert_or_assign(std::move(key), std::nullopt);
}

void Change::walk(Family family, std::string_view from, std::string_view until,
                  const Database::Visitor& visit) const {
  // What waits to be written, in order; nothing hides the key below.
  std::map<std::string_view, const std::optional<std::string>*> waiting;
  for (const Overlay* overlay : {&std::as_const(overlay_), &std::as_const(batch_.overlay)}) {
    const auto [first, last] = range((*overlay)[at(family)], from, until);
    for (auto it = first; it != last; ++it)
      waiting.emplace(it->first, &it->second);
  }
  auto next = waiting.begin();
  bool going = true;
  const auto visit_waiting = [&] {
    const auto& [key, sealed] = *next;
    if (sealed->has_value()) going = visit(key, value_or_refuse(unseal(key, **sealed)));
    ++next;
  };
  const auto walked =
      database_.walk(family, from, until, [&](std::string_view key, std::string_view payload) {
        while (going && next != waiting.end() && next->first < key)
          visit_waiting();
        if (!going) return false;
        if (next != waiting.end() && next->first == key) {
          visit_waiting();
        } else {
          going = visit(key, payload);
        }
        return going;
      });
  if (!walked) throw Refused{walked.error()};
  while (going && next != waiting.end())
    visit_waiting();
}

const ClusterEntry& Change::cluster(std::string_view name) const {
  const auto* found = tables_.find_cluster(name);
  if (found == nullptr)
    throw Refused{{Fault::not_found, "no cluster " + std::string{name} + " is configured"}};
  return *found;
}

const GroupEntry& Change::group(const StorageGroup& name) const {
  const auto* found = tables_.find_group(name);
  if (found == nullptr) {
    throw Refused{
        {Fault::not_found, "no storage group " + name.cluster + '/' + name.group + " is configured"}};
  }
  return *found;
}

ClusterRecord& Change::edit_cluster(std::string_view name) {
  const auto& entry = cluster(name);
  saved_clusters_.try_emplace(std::string{name}, entry.record);
  return tables_.clusters.find(name)->second.record;
}

GroupEntry& Change::edit_group(const StorageGroup& name) {
  const auto& entry = group(name);
  saved_groups_.try_emplace(name, entry);
  return tables_.groups.find(name)->second;
}

void Change::count_resubmission(ResubmissionState state, std::int64_t difference) {
  auto& count = tables_.resubmissions[state];
  count = static_cast<std::uint64_t>(static_cast<std::int64_t>(count) + difference);
}

std::map<Uuid, ResubmissionAtWork>& Change::edit_at_work() {
  if (!saved_at_work_) saved_at_work_ = tables_.at_work;
  return tables_.at_work;
}

Instant Change::next_time() {
  auto& last = tables_.hub.last_time;
  last = std::max(clock_, last + Duration{1});
  return last;
}

void Change::refer(const Uuid& message, std::uint64_t size, int difference) {
  auto& references = references_[message];
  references.difference += difference;
  references.size = size;
}

void Change::settle_references() {
  for (const auto& [message, references] : references_) {
    if (references.difference == 0) continue;
    const auto key = key::references(message);
    std::optional<std::string> stored;
    try {
      stored = get(Family::messages, key);
    } catch (const Refused& refused) {
      // How many others refer to it cannot be told: message and body stay.
      if (refused.error().fault != Fault::damaged) throw;
      continue;
    }
    const std::int64_t before = stored ? static_cast<std::int64_t>(Decoder{*stored}.number()) : 1;
    const std::int64_t after = before + references.difference;
    if (after <= 0) {
      remove_message(message, references.size);
    } else if (after > 1) {
      Encoder count;
      count.number(static_cast<std::uint64_t>(after));
      put(Family::messages, key, count.take());
      continue;
    }
    if (stored) erase(Family::messages, key);
  }
  references_.clear();
}

void Change::remove_message(const Uuid& message, std::uint64_t size) {
  erase(Family::messages, key::message(message));
  const auto chunks = chunks_of(size);
  for (std::uint32_t i = 0; i < chunks; ++i)
    erase(Family::bodies, key::chunk(message, i));
}

void Change::note(HistoryEvent event) {
  event.at = clock_;
  history_ += encode(event);
}

void Change::join() {
  settle_references();
  for (std::size_t family = 0; family < family_count; ++family) {
    auto& into = batch_.overlay[family];
    for (auto& [key, value] : overlay_[family])
      into.insert_or_assign(key, std::move(value));
  }
  batch_.counted.add(counted_);
  for (const auto& [name, record] : saved_clusters_)
    batch_.dirty_clusters.insert(name);
  for (const auto& [name, entry] : saved_groups_)
    batch_.dirty_groups.insert(name);
  batch_.grown_groups.merge(grown_);
  batch_.dirty_at_work = batch_.dirty_at_work || saved_at_work_.has_value();
  batch_.history += history_;
  joined_ = true;
}

}  // namespace dumpster::rocks
