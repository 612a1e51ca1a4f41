#pragma once

#include <memory>

#include "dumpster/rocksdb/database.hpp"
#include "dumpster/rocksdb/tables.hpp"
#include "dumpster/rocksdb/traffic_book.hpp"
#include "dumpster/rocksdb_store.hpp"

namespace dumpster::rocks {

/// A store that has been opened, checked and made ready for this run.
struct Opened {
  std::unique_ptr<Database> database;
  Tables tables;
  std::unique_ptr<TrafficBook> traffic;
  bool clean_shutdown = false;  ///< of the run before
};

/// Checks the folder, opens or creates the database, reads the small records, adds clusters and groups that
/// are new in the configuration, removes the bodies of messages that were never accepted, and notes durably
/// that a run has begun. Before that a store of an older format is migrated; a backup becomes a new store
/// afterwards.
Result<Opened> open_and_prepare(const RocksDbStoreOptions& options);

}  // namespace dumpster::rocks
