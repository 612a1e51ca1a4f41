#pragma once

#include <rocksdb/write_batch.h>

#include "dumpster/rocksdb/database.hpp"

namespace dumpster::rocks {

// The records without which nothing can be opened: hub, clusters, storage groups. Each is written twice, into
// two families and so into two files: one place that cannot be read loses none of them.

void put_small_record(Database& database, rocksdb::WriteBatch& batch, const std::string& key,
                      std::string_view payload);

/// The payload under `key` of the family `state`, from its second copy when the first one is damaged; nothing
/// when there is none.
Result<std::optional<std::string>> small_record(const Database& database, const std::string& key);

}  // namespace dumpster::rocks
