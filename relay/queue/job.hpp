#pragma once

#include <algorithm>
#include <compare>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "dumpster/spool.hpp"
#include "relay/directory/next_hop.hpp"
#include "relay/queue/fresh_bodies.hpp"

namespace relay {

/// Where connections go: a cluster (to the node that is active at the moment) or a next hop.
struct ClusterDestination {
  std::string cluster;
  auto operator<=>(const ClusterDestination&) const = default;
};
using Destination = std::variant<ClusterDestination, NextHop>;

/// Places of recipients in an envelope. Two of these belong to each message that waits, so they are small.
class Places {
 public:
  bool contains(std::uint32_t place) const {
    return std::binary_search(sorted_.begin(), sorted_.end(), place);
  }
  bool empty() const { return sorted_.empty(); }
  void insert(std::uint32_t place) {
    const auto at = std::lower_bound(sorted_.begin(), sorted_.end(), place);
    if (at == sorted_.end() || *at != place) sorted_.insert(at, place);
  }
  void erase(std::uint32_t place) {
    const auto at = std::lower_bound(sorted_.begin(), sorted_.end(), place);
    if (at != sorted_.end() && *at == place) sorted_.erase(at);
  }

 private:
  std::vector<std::uint32_t> sorted_;
};

/// A spooled message as the running hub keeps it.
struct QueuedMessage {
  dumpster::SpooledMessage spooled;
  /// The whole body of a fresh message of one chunk, until its first attempt or until its destination is
  /// dead: the ordinary way reads nothing back.
  std::shared_ptr<const FreshBody> body;
  /// Recipients in a job, waiting or under way: they are in no second one.
  Places busy;
  /// Those of them that are in a transaction now.
  Places under_way;
  /// Outcomes that are being written, and how many have been in all: what was read from the store meanwhile
  /// is stale.
  std::uint32_t recording = 0;
  std::uint64_t recordings = 0;
  /// It may have been under way when the run before ended, and that is not recorded yet: nothing of it is
  /// sent.
  bool after_crash = false;
  /// When it is to be planned again.
  std::optional<dumpster::Instant> wake_at;

  const dumpster::SpoolEntry* entry(std::uint32_t index) const;
};

struct JobRecipient {
  std::uint32_t index = 0;
  std::string mailbox;  ///< for storage groups
};

/// Where a transaction goes, and for what.
struct Route {
  Destination destination;
  std::optional<dumpster::StorageGroup> group;  ///< none: not for a cluster
  bool smarthost = false;

  /// In metrics and logs.
  std::string name() const;
  auto operator<=>(const Route&) const = default;
};

/// One transaction to be made: one message, one route.
struct Job {
  std::shared_ptr<QueuedMessage> message;
  std::shared_ptr<const Route> route;  ///< the same for all jobs that wait for a destination and group
  bool resubmission = false;
  dumpster::Instant planned_at{};  ///< from here on it waits for its turn, or for its destination
  /// The last look at the directory that left its route as it is; looks are counted by the dispatcher.
  std::uint32_t route_as_of = 0;
  std::vector<JobRecipient> recipients;
};

}  // namespace relay
