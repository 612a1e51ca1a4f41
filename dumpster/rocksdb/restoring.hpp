#pragma once

#include "dumpster/rocksdb/change.hpp"

namespace dumpster::rocks {

/// Makes of what a backup holds the beginning of a new store: another `store_id`, created now, with nothing
/// covered from before. Whatever waits in its spool may have been delivered since the backup: it is marked as
/// `from_backup`, and as being tried where it was not in doubt yet, so that the start takes it for in doubt.
/// Resubmissions that were going on are cancelled. Done again after an interruption it leaves the same.
void restore(Change& change);

}  // namespace dumpster::rocks
