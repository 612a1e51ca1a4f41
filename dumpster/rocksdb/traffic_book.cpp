#include "dumpster/rocksdb/traffic_book.hpp"

namespace dumpster::rocks {

void TrafficBook::put(const StorageGroup& group, Traffic traffic) {
  const std::lock_guard lock{mutex_};
  traffic_.insert_or_assign(group, std::move(traffic));
}

void TrafficBook::add(const StorageGroup& group, Instant at, const Retained& retained) {
  const std::lock_guard lock{mutex_};
  const auto found = traffic_.find(group);
  if (found == traffic_.end()) return;
  found->second.add(at, retained.deliveries, retained.bytes);
  changed_.insert(group);
}

Traffic TrafficBook::of(const StorageGroup& group) const {
  const std::lock_guard lock{mutex_};
  const auto found = traffic_.find(group);
  return found == traffic_.end() ? Traffic{} : found->second;
}

std::map<StorageGroup, Traffic> TrafficBook::all() const {
  const std::lock_guard lock{mutex_};
  return traffic_;
}

void TrafficBook::write(Change& change, bool now) {
  const std::lock_guard lock{mutex_};
  // A clock that steps back must not stop the writing.
  const bool recent = written_ <= change.clock() && change.clock() < written_ + written_every;
  if (changed_.empty() || (recent && !now)) return;
  for (const auto& group : changed_)
    change.put(Family::state, key::traffic(group), encode(traffic_.at(group)));
  changed_.clear();
  written_ = change.clock();
}

}  // namespace dumpster::rocks
