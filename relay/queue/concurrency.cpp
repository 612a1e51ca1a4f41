#include "relay/queue/concurrency.hpp"

#include <algorithm>

namespace relay {
namespace {

constexpr double rounding = 1e-9;  // five fifths are one

}  // namespace

Concurrency::Concurrency(std::uint32_t limit)
    : limit_(std::max(1U, limit)), width_(std::min(initial, limit_)) {}

void Concurrency::succeeded() {
  failed_cohorts_ = 0;
  width_ = std::min(limit_, width_ + 1 / width_ + rounding);
}

bool Concurrency::failed() {
  failed_cohorts_ += 1 / width_;
  width_ = std::max(1.0, width_ - 1 / width_);
  if (failed_cohorts_ + rounding < 1) return false;
  failed_cohorts_ = 0;
  return true;
}

void Concurrency::reset() {
  width_ = std::min(initial, limit_);
  failed_cohorts_ = 0;
}

}  // namespace relay
