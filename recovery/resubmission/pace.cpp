#include "recovery/resubmission/pace.hpp"

#include <algorithm>
#include <cmath>

namespace recovery {
namespace {

/// Jobs ready or under way: some tenths of a second of work for a fast node.
constexpr std::uint64_t longest_pipeline = 1000;
/// Recipients in the spool, deferred and in doubt included: they are in memory, and an activation takes them
/// back in one write. What a node defers does not hold up the rest before that.
constexpr std::uint64_t most_spooled = 20'000;
/// Fresh mail that waits for the cluster: what a node takes in a second or two is no backlog.
constexpr std::uint64_t large_backlog = 1000;
constexpr std::uint64_t small_backlog = 500;
constexpr std::chrono::seconds longest_standstill{10};

}  // namespace

/// Why nothing is released at the moment. Each has two limits, so that the state does not flicker.
std::string Pace::pause_for(const ClusterLoad& load, std::uint64_t pipeline, Instant now) {
  fresh_backlog_ = load.fresh_waiting > (fresh_backlog_ ? small_backlog : large_backlog);
  if (pipeline < longest_pipeline || pipeline < pipeline_ || moved_at_ == Instant{}) moved_at_ = now;
  pipeline_ = pipeline;
  slow_ = slow_ ? pipeline > longest_pipeline / 2 : now - moved_at_ >= longest_standstill;
  if (!load.accepting) return "the hub sheds load";
  if (load.held) return "the cluster is held";
  if (load.unreachable) return "the node cannot be reached";
  if (fresh_backlog_) return "fresh mail waits";
  if (slow_) return "the node is slow";
  return {};
}

Pace::Decision Pace::decide(const dumpster::ResubmissionWork& work, const ClusterLoad& load, Instant now) {
  const auto pipeline = load.resubmitted_waiting + load.loading + load.in_flight;
  Decision decision;
  decision.pause = pause_for(load, pipeline, now);
  const bool first = counted_at_ == Instant{};
  const auto passed = first ? 1.0 : std::chrono::duration<double>(now - counted_at_).count();
  counted_at_ = now;
  allowance_ = std::min(std::max(rate_, 1.0), allowance_ + std::max(passed, 0.0) * rate_);
  // What is still marked as paused releases nothing, and must not use up the allowance.
  if (!decision.pause.empty() || !work.waiting || work.running == 0) return decision;
  if (pipeline >= longest_pipeline || work.spooled >= most_spooled) return decision;
  auto most = std::min(longest_pipeline - pipeline, most_spooled - work.spooled);
  if (rate_ > 0) {
    most = std::min(most, static_cast<std::uint64_t>(std::floor(allowance_)));
    allowance_ -= static_cast<double>(most);
  }
  decision.release = most;
  return decision;
}

}  // namespace recovery
