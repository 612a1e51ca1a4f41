#pragma once

#include "dumpster/rocksdb/change.hpp"

namespace dumpster::rocks {

/// Writes what changes have gathered, with the small records that they have touched, all or nothing. Counts
/// the write in the hub's `sequence`.
rocksdb::Status write(Database& database, Tables& tables, const Batch& batch, bool synced);

}  // namespace dumpster::rocks
