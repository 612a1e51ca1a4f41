#include "relay/queue/destination_queue.hpp"

#include <algorithm>

namespace relay {
namespace {

constexpr std::uint32_t others_before_a_share = 3;

enum Priority : std::size_t { first_attempts, retries, resubmissions };

Priority priority_of(const Job& job) {
  if (job.resubmission) return resubmissions;
  return job.message->spooled.attempts > 0 ? retries : first_attempts;
}

}  // namespace

void DestinationQueue::add(Job job) {
  const auto priority = priority_of(job);
  job.route = *routes_.insert(std::move(job.route)).first;
  lines_[priority].add(std::move(job));
}

std::size_t DestinationQueue::waiting() const {
  std::size_t sum = 0;
  for (const auto& line : lines_)
    sum += line.waiting();
  return sum;
}

std::size_t DestinationQueue::resubmitted_waiting() const {
  return lines_[resubmissions].waiting();
}

std::optional<Job> DestinationQueue::take() {
  std::optional<std::size_t> chosen;
  for (std::size_t i = priorities; i-- > 0;) {
    if (lines_[i].waiting() == 0) continue;
    chosen = i;
    if (passed_over_[i] >= others_before_a_share) break;
  }
  if (!chosen) return std::nullopt;
  for (std::size_t i = 0; i < priorities; ++i)
    passed_over_[i] = i == *chosen ? 0 : passed_over_[i] + 1;
  return lines_[*chosen].take();
}

std::vector<Job> DestinationQueue::remove(const std::function<bool(Job&)>& wanted) {
  std::vector<Job> removed;
  for (auto& line : lines_)
    line.remove(wanted, removed);
  return removed;
}

void DestinationQueue::each(const std::function<void(const Job&)>& visit) const {
  for (const auto& line : lines_)
    line.each(visit);
}

std::uint32_t DestinationQueue::connections_wanted(std::uint32_t open, std::uint32_t connecting,
                                                   std::uint32_t share, dumpster::Instant now) const {
  if (waiting() <= connecting) return 0;
  if (dead_) return open == 0 && now >= not_before_ ? 1 : 0;
  const auto most = std::min(concurrency_.width(), share);
  if (open >= most) return 0;
  return static_cast<std::uint32_t>(std::min<std::size_t>(most - open, waiting() - connecting));
}

bool DestinationQueue::may_begin(std::uint32_t working, dumpster::Instant now) const {
  return dead_ ? working == 0 && now >= not_before_ : working < concurrency_.width();
}

void DestinationQueue::declare_dead(dumpster::Instant now, const BackOff& back_off, double chance) {
  dead_ = true;
  ++failures_;
  not_before_ = now + back_off.after(failures_, chance);
}

void DestinationQueue::connect_failed(std::string reason, std::uint32_t open, dumpster::Instant now,
                                      const BackOff& back_off, double chance) {
  last_error_ = std::move(reason);
  failed_at_ = now;
  const bool cohort = concurrency_.failed();
  if (open > 0 && !dead_ && !cohort) return;
  // What fails together, as the connections that were begun together do, is one failure.
  if (dead_ && now < not_before_) return;
  unreachable_ = true;
  declare_dead(now, back_off, chance);
}

bool DestinationQueue::connected(dumpster::Instant now) {
  if (!unreachable_) return false;
  unreachable_ = false;
  reachable_since_ = now;
  not_before_ = now;  // the transaction that tells whether it works, too
  return true;
}

void DestinationQueue::failed(std::string reason, dumpster::Instant now, const BackOff& back_off,
                              double chance) {
  last_error_ = std::move(reason);
  failed_at_ = now;
  const bool cohort = concurrency_.failed();
  if (dead_ ? now >= not_before_ : cohort) declare_dead(now, back_off, chance);
}

bool DestinationQueue::succeeded() {
  concurrency_.succeeded();
  const bool was_dead = dead_;
  dead_ = false;
  unreachable_ = false;
  failures_ = 0;
  last_error_.clear();
  return was_dead;
}

void DestinationQueue::reset() {
  concurrency_.reset();
  dead_ = false;
  unreachable_ = false;
  failures_ = 0;
  not_before_ = {};
  failed_at_ = {};
  reachable_since_ = {};
  last_error_.clear();
}

std::string DestinationQueue::name() const {
  const auto* cluster = std::get_if<ClusterDestination>(&destination_);
  return cluster != nullptr ? cluster->cluster : to_string(std::get<NextHop>(destination_));
}

std::optional<dumpster::Instant> DestinationQueue::probe_at() const {
  if (!dead_ || waiting() == 0) return std::nullopt;
  return not_before_;
}

}  // namespace relay
