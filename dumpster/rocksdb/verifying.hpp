#pragma once

#include <atomic>

#include "dumpster/rocksdb/database.hpp"
#include "dumpster/rocksdb/folder.hpp"
#include "dumpster/verify.hpp"

namespace dumpster::rocks {

/// Checks a database that may change meanwhile: a checkpoint of it, which costs links, in `store`'s folder.
/// Ends with an error soon after `cancelled` has become true.
Result<Verification> verify_copy(const Database& database, const Folder& store,
                                 const std::atomic<bool>& cancelled);

}  // namespace dumpster::rocks
