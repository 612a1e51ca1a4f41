#pragma once

#include "dumpster/rocksdb/change.hpp"
#include "dumpster/store.hpp"

namespace dumpster::rocks {

/// Takes deliveries out of a dumpster by an operator's word; what `Store::purge` promises.
Purged purge(Change& change, const PurgeRequest& request);

}  // namespace dumpster::rocks
