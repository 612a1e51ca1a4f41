#pragma once

#include <string_view>
#include <vector>

#include "dumpster/resubmission.hpp"
#include "dumpster/rocksdb/change.hpp"

namespace dumpster::rocks {

/// The most deliveries that one request may put into the spool: they are written at once.
inline constexpr std::size_t most_resubmitted_lines = 200'000;

/// `Store::resubmit`.
ResubmissionAccepted resubmit(Change& change, const ResubmissionRequest& request);

/// `Store::cancel`.
std::vector<Uuid> cancel(Change& change, const Uuid& id);

/// Ends what runs in a cluster, because another term begins. Gives the messages whose spool entries have
/// changed.
std::vector<Uuid> end_resubmissions(Change& change, std::string_view cluster);

/// Forgets the oldest finished resubmissions when there are too many or they are too old.
void forget_old_resubmissions(Change& change);

}  // namespace dumpster::rocks
