#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "dumpster/cluster.hpp"
#include "dumpster/error.hpp"
#include "dumpster/records.hpp"

namespace dumpster::rocks {

struct ClusterEntry {
  ClusterDefinition definition;
  ClusterRecord record;

  ClusterState state() const;
};

struct GroupEntry {
  StorageGroup name;
  RetentionLimits limits;
  GroupRecord record;
  /// Before this there is nothing that size or time could remove: lines are gone or pinned by what they wait
  /// for.
  Instant evict_from = Instant::min();
  /// Likewise for replication feedback.
  Instant truncate_from = Instant::min();
  Instant newest = Instant::min();  ///< time of the line that was put in last
};

/// A resubmission that is not over, or that has left lines behind.
struct ResubmissionAtWork {
  enum class Phase : std::uint8_t {
    choosing,  ///< its set is put together, piece by piece
    running,   ///< what waits goes into the spool, piece by piece
    ending,    ///< over; what still waited goes back to the state that it had, piece by piece
  };
  StorageGroup group;
  Phase phase = Phase::running;
  bool orphaned = false;      ///< choosing, and whoever asked is not there any more
  bool paused = false;        ///< as its record says
  bool waiting = false;       ///< there may be lines that wait
  Instant next{};             ///< no line before this one waits
  std::uint64_t spooled = 0;  ///< recipients in the spool

  bool ending() const { return phase == Phase::ending; }
};

/// The small records, all of them in memory. The committer's own copy is ahead of the disk by the batch that
/// it is putting together; readers see the copy that was made after the last write.
struct Tables {
  HubRecord hub;
  std::map<std::string, ClusterEntry, std::less<>> clusters;
  std::map<StorageGroup, GroupEntry> groups;
  std::map<ResubmissionState, std::uint64_t> resubmissions;  ///< how many by state
  std::map<Uuid, ResubmissionAtWork> at_work;                ///< of configured groups

  /// Only configured clusters and groups are found.
  const ClusterEntry* find_cluster(std::string_view name) const;
  const GroupEntry* find_group(const StorageGroup& name) const;
  std::vector<StorageGroup> group_names() const;
};

/// Why a change is refused. It travels as an exception within the committer alone, because a change reads,
/// decides and writes in many small steps; the committer drops what the change did and hands the error to its
/// caller.
class Refused : public std::exception {
 public:
  explicit Refused(Error error) : error_(std::move(error)) {}
  const Error& error() const { return error_; }
  const char* what() const noexcept override { return error_.detail.c_str(); }

 private:
  Error error_;
};

/// The value, or `Refused`.
template <class T>
T value_or_refuse(Result<T> result) {
  if (!result) throw Refused{result.error()};
  return std::move(*result);
}

inline void value_or_refuse(Result<void> result) {
  if (!result) throw Refused{result.error()};
}

/// What `read` gives, or nothing where it meets damage, which has been noted: for changes that go around it.
/// `read` changes nothing.
template <class Read>
auto if_readable(const Read& read) -> std::optional<decltype(read())> {
  try {
    return read();
  } catch (const Refused& refused) {
    if (refused.error().fault != Fault::damaged) throw;
    return std::nullopt;
  }
}

}  // namespace dumpster::rocks
