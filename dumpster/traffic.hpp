#pragma once

#include <cstdint>
#include <deque>

#include "dumpster/instant.hpp"

namespace dumpster {

/// How much mail a storage group was given, hour by hour: by this the size of its dumpster can be judged.
/// Only the hours of the last `kept` are remembered, and those without mail take no room.
class Traffic {
 public:
  static constexpr std::chrono::hours kept{24 * 8};

  struct Hour {
    std::chrono::sys_time<std::chrono::hours> begin;
    std::uint64_t messages = 0;
    std::uint64_t bytes = 0;

    bool operator==(const Hour&) const = default;
  };

  Traffic() = default;
  /// Nothing is known of what was before `since`.
  explicit Traffic(Instant since) : since_(since) {}
  /// As it was; `hours` in their order.
  Traffic(Instant since, std::deque<Hour> hours) : since_(since), hours_(std::move(hours)) {}

  void add(Instant at, std::uint64_t messages, std::uint64_t bytes);

  Instant since() const { return since_; }
  const std::deque<Hour>& hours() const { return hours_; }  ///< oldest first

  bool operator==(const Traffic&) const = default;

 private:
  Instant since_{};
  std::deque<Hour> hours_;
};

/// What the traffic until now says about a dumpster's size.
struct SizeNeeded {
  std::uint64_t bytes = 0;
  /// The time that was looked at. Shorter than what is wanted, `bytes` is an estimate: the same traffic going
  /// on.
  Duration measured{};
};

/// The size that would have covered the last `wanted` at every moment so far: the most that came within any
/// stretch of that length, to the full hours on both sides.
SizeNeeded size_needed(const Traffic& traffic, Instant now, Duration wanted);

}  // namespace dumpster
