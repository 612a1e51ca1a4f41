#pragma once

#include <vector>

#include "dumpster/rocksdb/change.hpp"

namespace dumpster::rocks {

// What is done between a failed write and the next acknowledgement. For the committer's thread alone.

/// How long to wait before the next try: at once, then doubling up to half a minute.
std::chrono::milliseconds pause_before_opening(unsigned failed_tries);

/// Whether there is room for opening: what the log holds is written into files then. A disk that is full is
/// not worth a try, and as long as the database stays open it can be read.
bool room_for_opening(const Database& database);

/// The tables as the database has them now. Times already given stay given: `last_time` does not fall behind
/// `before`. Throws `Refused` for records that are damaged.
Tables read_again(const Database& database, const Tables& before);

/// Takes back what nobody was told: messages whose acceptance was refused because its write had failed, which
/// may be there all the same while their senders come again; and bodies of messages that are not accepted
/// yet, since chunks of theirs may be lost.
void take_back(Change& change, const std::vector<Uuid>& refused);

}  // namespace dumpster::rocks
