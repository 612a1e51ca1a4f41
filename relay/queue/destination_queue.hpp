#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "dumpster/instant.hpp"
#include "relay/queue/back_off.hpp"
#include "relay/queue/job.hpp"

namespace relay {

/// The jobs of one destination, and what is known of it. Pure: no clock, no I/O. Not thread-safe.
///
/// A destination that cannot be reached costs no write and no attempt of any message: its jobs stay where
/// they are, and one connection at a time probes it after its back-off.
class DestinationQueue {
 public:
  /// `limit`: transactions at a time at the most.
  DestinationQueue(Destination destination, std::uint32_t limit)
      : destination_(std::move(destination)), limit_(limit) {}

  void add(Job job);
  /// The next job: fresh mail first, but one of four is a resubmission while both wait (its minimum share).
  std::optional<Job> take();
  /// Takes out the jobs for which `wanted` is true, in order.
  std::vector<Job> remove(const std::function<bool(const Job&)>& wanted);
  std::size_t waiting() const { return fresh_.size() + resubmitted_.size(); }

  /// How many more connections to open now, when `open` exist already and `connecting` of them are not ready
  /// yet. Idle ones have been given their jobs before this is asked.
  std::uint32_t connections_wanted(std::uint32_t open, std::uint32_t connecting, dumpster::Instant now) const;

  void connect_failed(std::string reason, dumpster::Instant now, const BackOff& back_off, double chance);
  /// True when it had been unreachable before.
  bool connected(dumpster::Instant now);
  /// Forgets failures: the destination is another node now.
  void reset();

  const Destination& destination() const { return destination_; }
  /// The cluster's name or the next hop, for logs and the operator.
  std::string name() const;
  bool unreachable() const { return failures_ > 0; }
  std::optional<dumpster::Instant> probe_at() const;
  dumpster::Instant reachable_since() const { return reachable_since_; }
  const std::string& last_error() const { return last_error_; }

 private:
  Destination destination_;
  std::uint32_t limit_;
  std::deque<Job> fresh_;
  std::deque<Job> resubmitted_;
  std::uint32_t since_resubmitted_ = 0;
  std::uint32_t failures_ = 0;
  dumpster::Instant not_before_{};
  dumpster::Instant reachable_since_{};
  std::string last_error_;
};

}  // namespace relay
