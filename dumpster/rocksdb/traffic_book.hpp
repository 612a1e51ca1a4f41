#pragma once

#include <map>
#include <mutex>
#include <set>

#include "dumpster/delivery.hpp"
#include "dumpster/rocksdb/change.hpp"
#include "dumpster/traffic.hpp"

namespace dumpster::rocks {

/// The traffic of every storage group. It is written from time to time only: a crash loses the last minutes
/// of a statistic, and no write of the hot path grows by it. Thread-safe.
class TrafficBook {
 public:
  static constexpr Duration written_every = std::chrono::minutes{1};

  /// What was written before, or a beginning.
  void put(const StorageGroup& group, Traffic traffic);
  void add(const StorageGroup& group, Instant at, const Retained& retained);
  Traffic of(const StorageGroup& group) const;
  std::map<StorageGroup, Traffic> all() const;

  /// Puts what has changed into `change`, when that was not done for a while; `now` overrides the while.
  void write(Change& change, bool now);

 private:
  mutable std::mutex mutex_;
  std::map<StorageGroup, Traffic> traffic_;
  std::set<StorageGroup> changed_;
  Instant written_{};
};

}  // namespace dumpster::rocks
