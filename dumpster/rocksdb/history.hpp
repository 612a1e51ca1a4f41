#pragma once

#include <vector>

#include "dumpster/history.hpp"
#include "dumpster/rocksdb/database.hpp"

namespace dumpster::rocks {

/// What fits the query, in one walk over all that is kept: a second for the most that it can be. `groups`:
/// those in which the id of a delivery may stand.
Result<HistoryFound> find_history(const Database& database, const HistoryQuery& query,
                                  const std::vector<StorageGroup>& groups);

}  // namespace dumpster::rocks
