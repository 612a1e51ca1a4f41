#include "dumpster/rocksdb/reclaiming.hpp"

#include <algorithm>

#include "metrics/log.hpp"

namespace dumpster::rocks {
namespace {

/// Below this a pass frees nothing that anyone would miss.
constexpr std::uint64_t least_garbage = 32U * 1024 * 1024;

/// Bodies go in the order in which they came, so the oldest files are nearly all garbage: about as many of
/// them as there is garbage, and some more for the survivors between.
double part_to_rewrite(const Database::BodySpace& space) {
  return std::min(1.0, 1.25 * static_cast<double>(space.garbage) / static_cast<double>(space.files));
}

}  // namespace

bool worth_reclaiming(const Database::BodySpace& space) {
  // A quarter: the files hold at most a third more than what is alive in them.
  return space.garbage >= least_garbage && space.garbage > space.files / 4;
}

void Reclaiming::look() {
  if (working_ || given_up_ || !worth_reclaiming(database_.body_space())) return;
  if (thread_.joinable()) thread_.join();
  working_ = true;
  thread_ = std::thread{[this] { pass(); }};
}

void Reclaiming::pass() {
  const auto before = database_.body_space();
  const auto status = database_.rewrite_bodies(part_to_rewrite(before), cancelled_);
  const auto after = database_.body_space();
  if (status.ok()) {
    metrics::log_info("space_reclaimed", {{"files_before", before.files}, {"files_after", after.files}});
  } else if (!cancelled_) {
    given_up_ = status.IsCorruption();  // would fail at the same place for ever
    metrics::log_warning("space_not_reclaimed", {{"reason", status.ToString()}});
  }
  working_ = false;
}

void Reclaiming::stop() {
  cancelled_ = true;
  if (thread_.joinable()) thread_.join();
  cancelled_ = false;
}

}  // namespace dumpster::rocks
