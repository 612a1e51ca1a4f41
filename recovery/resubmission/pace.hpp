#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

#include "dumpster/resubmission.hpp"
#include "recovery/running_relay.hpp"

namespace recovery {

/// How many waiting deliveries of one cluster go into the spool now, and whether its resubmissions pause
/// (promise 7). Pure: no clock, no I/O. Not thread-safe.
///
/// A rate limit, with a second's worth at once after a rest; never more in the pipeline than keeps the node
/// busy, so that fresh mail is not behind a wall of resubmissions and an activation has little to take back;
/// nothing while there is back pressure. The share of resubmissions beside fresh mail is the queue's affair.
class Pace {
 public:
  using Instant = std::chrono::steady_clock::time_point;

  /// `rate`: messages a second; 0: no limit.
  explicit Pace(double rate) : rate_(rate) {}
  void set_rate(double rate) { rate_ = rate; }

  struct Decision {
    std::size_t release = 0;
    std::string pause;  ///< why the resubmissions pause; empty: they run
  };
  /// To be asked from time to time while something waits or is paused.
  Decision decide(const dumpster::ResubmissionWork& work, const ClusterLoad& load, Instant now);

 private:
  std::string pause_for(const ClusterLoad& load, std::uint64_t pipeline, Instant now);

  double rate_;
  double allowance_ = 0;
  Instant counted_at_{};
  bool fresh_backlog_ = false;
  std::uint64_t pipeline_ = 0;
  Instant moved_at_{};  ///< when the pipeline was last seen to get shorter, or was not full
  bool slow_ = false;
};

}  // namespace recovery
