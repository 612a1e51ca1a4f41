#pragma once

#include <cstddef>

#include "dumpster/rocksdb/change.hpp"

namespace dumpster::rocks {

/// Removes the oldest deliveries while the group is larger than its limit. The newest one stays. Gives how
/// many went; `most` at once, so that a write stays bounded.
std::size_t evict_by_size(Change& change, const StorageGroup& group, std::size_t most);

/// Removes deliveries that are older than `max_time`; all of them while retention is off.
std::size_t evict_by_time(Change& change, const StorageGroup& group, std::size_t most);

/// Where it is switched on, removes what all passive nodes have reported as replicated.
std::size_t truncate_replicated(Change& change, const StorageGroup& group, std::size_t most);

/// All of that for every group, until `enough` have gone; how many have.
std::size_t evict(Change& change, std::size_t enough);

void set_limits(Change& change, const StorageGroup& group, const RetentionLimits& limits);

}  // namespace dumpster::rocks
