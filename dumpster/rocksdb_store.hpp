#pragma once

#include <filesystem>
#include <memory>
#include <vector>

#include "dumpster/store.hpp"
#include "metrics/hub_metrics.hpp"

namespace dumpster {

struct RocksDbStoreOptions {
  std::filesystem::path path;  ///< created when absent; everything else in it is refused
  std::vector<ClusterDefinition> clusters;
  const Clock* clock = &system_clock();
  metrics::HubMetrics* metrics = nullptr;  ///< none: nothing is counted; must outlive the store
};

/// Opens or creates the store in RocksDB. FORMAT.md describes the bytes.
///
/// A store that is damaged, was written by a newer program or belongs to something else gives an error and is
/// left as it is. Groups that are no longer configured stay untouched in it.
Result<std::unique_ptr<Store>> open_rocksdb_store(RocksDbStoreOptions options);

}  // namespace dumpster
