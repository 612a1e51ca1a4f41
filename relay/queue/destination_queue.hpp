#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "dumpster/instant.hpp"
#include "relay/queue/back_off.hpp"
#include "relay/queue/concurrency.hpp"
#include "relay/queue/fair_line.hpp"
#include "relay/queue/job.hpp"

namespace relay {

/// The jobs of one destination, and what is known of it. Pure: no clock, no I/O. Not thread-safe.
///
/// A destination that is dead (it cannot be reached, or a whole cohort of transactions has failed by its
/// fault) costs no write and no attempt of any message: its jobs stay where they are, and one transaction at
/// a time probes it after its back-off.
class DestinationQueue {
 public:
  /// `limit`: transactions at a time at the most.
  DestinationQueue(Destination destination, std::uint32_t limit)
      : destination_(std::move(destination)), concurrency_(limit) {}

  void add(Job job);
  /// The next job: first attempts before retries before resubmissions, but each of the latter two has a
  /// minimum share of one in four while it waits. Within each, senders take turns.
  std::optional<Job> take();
  /// Takes out the jobs for which `wanted` is true; those of one sender in order.
  std::vector<Job> remove(const std::function<bool(Job&)>& wanted);
  void each(const std::function<void(const Job&)>& visit) const;
  std::size_t waiting() const;
  std::size_t resubmitted_waiting() const;

  /// How many more connections to open now, when `open` exist already and `connecting` of them are not ready
  /// yet. Idle ones have been given their jobs before this is asked. `share`: what the whole hub leaves to
  /// each destination.
  std::uint32_t connections_wanted(std::uint32_t open, std::uint32_t connecting, std::uint32_t share,
                                   dumpster::Instant now) const;
  /// Whether a transaction may begin on a connection that is ready, while `working` others have one.
  bool may_begin(std::uint32_t working, dumpster::Instant now) const;
  /// How many transactions at a time it is given at the moment.
  std::uint32_t width() const { return concurrency_.width(); }

  /// A connection could not be made. With none `open` beside it the destination is dead, otherwise it is a
  /// failure like others: the next hop may not want so many.
  void connect_failed(std::string reason, std::uint32_t open, dumpster::Instant now, const BackOff& back_off,
                      double chance);
  /// A connection is ready. True when it could not be reached before.
  bool connected(dumpster::Instant now);
  /// A transaction failed by the destination's fault.
  void failed(std::string reason, dumpster::Instant now, const BackOff& back_off, double chance);
  /// A transaction was answered. True when the destination had been dead.
  bool succeeded();
  /// Forgets failures: the destination is another node now.
  void reset();
  /// Probes at the next occasion; an operator says that it is there again.
  void probe_now() { not_before_ = {}; }

  const Destination& destination() const { return destination_; }
  /// The cluster's name or the next hop, for logs and the operator.
  std::string name() const;
  bool dead() const { return dead_; }
  std::optional<dumpster::Instant> probe_at() const;
  /// When a connection could not be made, or a transaction failed by its fault, the last time; the beginning
  /// of time when that has not been.
  dumpster::Instant failed_at() const { return failed_at_; }
  dumpster::Instant reachable_since() const { return reachable_since_; }
  const std::string& last_error() const { return last_error_; }

 private:
  void declare_dead(dumpster::Instant now, const BackOff& back_off, double chance);

  static constexpr std::size_t priorities = 3;  ///< first attempts, retries, resubmissions

  struct ByValue {
    bool operator()(const std::shared_ptr<const Route>& a, const std::shared_ptr<const Route>& b) const {
      return *a < *b;
    }
  };

  Destination destination_;
  /// Of the jobs that have been here: a few, however many jobs wait.
  std::set<std::shared_ptr<const Route>, ByValue> routes_;
  Concurrency concurrency_;
  std::array<FairLine, priorities> lines_;
  std::array<std::uint32_t, priorities> passed_over_{};
  bool dead_ = false;
  bool unreachable_ = false;
  std::uint32_t failures_ = 0;  ///< probes and cohorts that failed since the last success
  dumpster::Instant not_before_{};
  dumpster::Instant failed_at_{};
  dumpster::Instant reachable_since_{};
  std::string last_error_;
};

}  // namespace relay
