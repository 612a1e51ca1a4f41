#pragma once

#include <cstdint>

namespace relay {

/// How many transactions a destination is given at a time, learnt from how it does: Postfix's 1/N feedback
/// (SCHEDULER_README). Each success widens the window by 1/N and each failure narrows it by as much, where N
/// is its present width, so that a whole cohort of successes gives one place more. A whole cohort of failures
/// in a row means that the destination is dead. Pure. Not thread-safe.
///
/// A failure is one of the destination, not of a message: no connection, a connection that broke, or a next
/// hop that says that its system is out of order.
class Concurrency {
 public:
  static constexpr double initial = 5;

  /// `limit`: the most at a time, at least 1.
  explicit Concurrency(std::uint32_t limit);

  std::uint32_t width() const { return static_cast<std::uint32_t>(width_); }
  void succeeded();
  /// True when this failure completes a cohort of them.
  bool failed();
  /// Begins again as with an unknown destination.
  void reset();

 private:
  double limit_;
  double width_;
  double failed_cohorts_ = 0;
};

}  // namespace relay
