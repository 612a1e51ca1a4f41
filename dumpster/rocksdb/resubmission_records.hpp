#pragma once

#include <cstdint>
#include <map>

#include "dumpster/rocksdb/change.hpp"
#include "dumpster/rocksdb/spool_changes.hpp"

namespace dumpster::rocks {

/// How one recipient of a resubmission ended.
enum class Ending : std::uint8_t { delivered, failed, cancelled };

/// Counts recipients of a resubmission that were in the spool and have ended; the last one completes it.
/// Passed over for a nil id and for a resubmission whose record is gone.
void count_ending(Change& change, const Uuid& resubmission, Ending ending, std::uint64_t recipients);

/// Completes a running resubmission whose recipients have all ended. Of one that has nothing left in the
/// spool and nothing that waits, the others were in lines that could not be read: they count as failed.
void complete_if_over(Change& change, Resubmission& record);

/// Notes that the resubmission does not have the message in the spool any more, if it does not.
void forget_if_settled(Change& change, const Uuid& resubmission, const OpenSpool& spool);

/// Nothing, too, for a damaged one.
std::optional<Resubmission> resubmission_record(const Change& change, const Uuid& id);
/// Writes it and keeps the number of resubmissions by state; `before` is the state that it had, if it was
/// there.
void put_resubmission(Change& change, const Resubmission& record, std::optional<ResubmissionState> before);

/// An empty plan where there is none.
ResubmissionPlan resubmission_plan(const Change& change, const Uuid& id);
/// Whether its set is not whole yet; a damaged plan says no.
bool is_choosing(const Change& change, const Uuid& id);
/// Writes the plan of a resubmission that goes on; one that is over has none.
void put_plan(Change& change, const Resubmission& record, const ResubmissionPlan& plan);

/// Completed or cancelled.
bool is_finished(ResubmissionState state);
/// Whether every recipient has ended in some way.
bool is_settled(const Resubmission& record);

/// What an opened store has to go on with, of configured groups. Throws `Refused`.
std::map<Uuid, ResubmissionAtWork> read_at_work(const Database& database, const Tables& tables);

}  // namespace dumpster::rocks
