#pragma once

#include "dumpster/rocksdb/database.hpp"
#include "dumpster/rocksdb/folder.hpp"

namespace dumpster::rocks {

/// Brings a store of an older format to this program's, in one write; nothing is done to one of today's.
/// First the folder says the new format, so an older program refuses a store in which that write may be. The
/// format in the hub's record says what the records are: an interrupted migration is done by the next start.
Result<void> migrate(Database& database, const Folder& folder, FolderState state);

}  // namespace dumpster::rocks
