#pragma once

#include "dumpster/repair.hpp"
#include "dumpster/rocksdb/database.hpp"

namespace dumpster::rocks {

/// Writes into `fresh`, which is empty, what can be read of `old`, so that all of it agrees: no line or
/// spooled message without its record, references and totals counted anew, no resubmission going on.
/// `set_aside` is left to the caller.
Result<Repaired> salvage(const Database& old, Database& fresh);

}  // namespace dumpster::rocks
