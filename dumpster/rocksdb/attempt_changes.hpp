#pragma once

#include "dumpster/rocksdb/change.hpp"
#include "dumpster/store.hpp"

namespace dumpster::rocks {

/// `Store::record`.
AttemptRecorded record_attempt(Change& change, const AttemptOutcome& outcome);

}  // namespace dumpster::rocks
