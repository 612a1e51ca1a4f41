#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "dumpster/rocksdb/database.hpp"
#include "dumpster/store.hpp"

namespace dumpster::rocks {

// What is read from the disk, on a thread of the reader pool.

Result<std::string> read_chunk(const Database& database, const Uuid& message, std::uint32_t chunk);
Result<std::optional<SpooledMessage>> load(const Database& database, const Uuid& message);
Result<std::vector<SpooledMessage>> scan_spool(const Database& database, const std::optional<Uuid>& after,
                                               std::size_t limit);
/// The time in the key of the first message in the spool.
Result<std::optional<Instant>> oldest_spooled(const Database& database);

/// `ended`: resubmissions whose lines are read as what they were before them.
Result<DeliveryPage> list(const Database& database, std::uint32_t group_number, const DeliveryQuery& query,
                          const std::set<Uuid>& ended);
Result<std::vector<Delivery>> find(const Database& database, std::uint32_t group_number,
                                   const Uuid& delivery_id, const std::set<Uuid>& ended);
/// Fills in `oldest` and `newest`.
Result<StorageGroupState> with_ends(const Database& database, std::uint32_t group_number,
                                    StorageGroupState state);

Result<Resubmission> read_resubmission(const Database& database, const Uuid& id);
Result<std::vector<Resubmission>> read_resubmissions(const Database& database, std::size_t limit);

/// How many resubmissions there are in each state.
Result<std::map<ResubmissionState, std::uint64_t>> count_resubmissions(const Database& database);

}  // namespace dumpster::rocks
