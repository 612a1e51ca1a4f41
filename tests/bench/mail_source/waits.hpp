#pragma once

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <vector>

namespace mail_source {

/// How often which time was waited, in steps of one in a hundred: as small after a day as after a second.
class Waits {
 public:
  void add(std::chrono::duration<double> waited) {
    const auto step = std::log(std::max(waited.count(), shortest) / shortest) / std::log(1.01);
    ++counts_[std::min(static_cast<std::size_t>(step), counts_.size() - 1)];
  }
  void add(const Waits& others) {
    for (std::size_t i = 0; i < counts_.size(); ++i)
      counts_[i] += others.counts_[i];
  }
  std::uint64_t count() const { return std::accumulate(counts_.begin(), counts_.end(), std::uint64_t{0}); }
  /// The time in seconds that `share` of all waited at the most.
  double quantile(double share) const {
    auto left = share * static_cast<double>(count());
    std::size_t step = 0;
    for (; step + 1 < counts_.size() && left >= static_cast<double>(counts_[step]); ++step)
      left -= static_cast<double>(counts_[step]);
    return shortest * std::pow(1.01, static_cast<double>(step) + 0.5);
  }

 private:
  static constexpr double shortest = 1e-6;
  std::vector<std::uint64_t> counts_ = std::vector<std::uint64_t>(2000);
};

}  // namespace mail_source
