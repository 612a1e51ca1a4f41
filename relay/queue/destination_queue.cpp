#include "relay/queue/destination_queue.hpp"

#include <algorithm>

namespace relay {
namespace {

constexpr std::uint32_t fresh_per_resubmitted = 3;

}  // namespace

void DestinationQueue::add(Job job) {
  auto& line = job.resubmission ? resubmitted_ : fresh_;
  line.push_back(std::move(job));
}

std::optional<Job> DestinationQueue::take() {
  if (waiting() == 0) return std::nullopt;
  const bool share_is_due = !resubmitted_.empty() && since_resubmitted_ >= fresh_per_resubmitted;
  const bool from_resubmitted = fresh_.empty() || share_is_due;
  auto& line = from_resubmitted ? resubmitted_ : fresh_;
  since_resubmitted_ = from_resubmitted ? 0 : since_resubmitted_ + 1;
  auto job = std::move(line.front());
  line.pop_front();
  return job;
}

std::vector<Job> DestinationQueue::remove(const std::function<bool(const Job&)>& wanted) {
  std::vector<Job> removed;
  for (auto* line : {&fresh_, &resubmitted_}) {
    std::deque<Job> kept;
    for (auto& job : *line) {
      if (wanted(job)) {
        removed.push_back(std::move(job));
      } else {
        kept.push_back(std::move(job));
      }
    }
    *line = std::move(kept);
  }
  return removed;
}

std::uint32_t DestinationQueue::connections_wanted(std::uint32_t open, std::uint32_t connecting,
                                                   dumpster::Instant now) const {
  if (waiting() <= connecting || open >= limit_) return 0;
  if (failures_ > 0) return open == 0 && now >= not_before_ ? 1 : 0;
  return static_cast<std::uint32_t>(std::min<std::size_t>(limit_ - open, waiting() - connecting));
}

void DestinationQueue::connect_failed(std::string reason, dumpster::Instant now, const BackOff& back_off,
                                      double chance) {
  ++failures_;
  not_before_ = now + back_off.after(failures_, chance);
  last_error_ = std::move(reason);
}

bool DestinationQueue::connected(dumpster::Instant now) {
  const bool was_unreachable = failures_ > 0;
  if (was_unreachable) reachable_since_ = now;
  failures_ = 0;
  last_error_.clear();
  return was_unreachable;
}

void DestinationQueue::reset() {
  failures_ = 0;
  not_before_ = {};
  reachable_since_ = {};
  last_error_.clear();
}

std::string DestinationQueue::name() const {
  const auto* cluster = std::get_if<ClusterDestination>(&destination_);
  return cluster != nullptr ? cluster->cluster : to_string(std::get<NextHop>(destination_));
}

std::optional<dumpster::Instant> DestinationQueue::probe_at() const {
  if (failures_ == 0 || waiting() == 0) return std::nullopt;
  return not_before_;
}

}  // namespace relay
