#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "dumpster/delivery.hpp"
#include "dumpster/rocksdb/change.hpp"
#include "dumpster/rocksdb/resubmission_records.hpp"

namespace dumpster::rocks {

/// Puts all recipients of a line into the spool, to be delivered for a resubmission until `until`. The line
/// stands in the store as `resubmitting` already.
void spool_line(Change& change, const StorageGroup& group, const Delivery& line, const Uuid& resubmission,
                Instant until);

/// A recipient goes over from another resubmission that still waited for it.
void leave_other(Change& change, const Uuid& other, Ending ending, const OpenSpool& spool);

/// `Store::release`.
std::vector<Uuid> release(Change& change, std::string_view cluster, std::size_t most);

/// `Store::pause`.
void pause(Change& change, std::string_view cluster, bool paused);

/// Up to `most` of the lines of a resubmission that still wait, oldest first; with fewer there are no more.
std::vector<Instant> waiting_lines(const Change& change, const Uuid& resubmission,
                                   const ResubmissionAtWork& work, std::size_t most);

/// Remembers for traces what a resubmission does with a line.
void note_resubmission(Change& change, HistoryEvent::Kind kind, const StorageGroup& group,
                       const Delivery& line, const Uuid& resubmission);

}  // namespace dumpster::rocks
