#include "dumpster/traffic.hpp"

#include <algorithm>

namespace dumpster {

void Traffic::add(Instant at, std::uint64_t messages, std::uint64_t bytes) {
  auto begin = std::chrono::floor<std::chrono::hours>(at);
  // A clock that steps back adds to the latest hour that is known.
  if (!hours_.empty()) begin = std::max(begin, hours_.back().begin);
  if (hours_.empty() || hours_.back().begin < begin) hours_.push_back({begin, 0, 0});
  hours_.back().messages += messages;
  hours_.back().bytes += bytes;
  while (hours_.front().begin + kept < begin)
    hours_.pop_front();
}

namespace {

/// The most bytes within any stretch of `length` and the hour in which it begins.
std::uint64_t most_within(const std::deque<Traffic::Hour>& hours, Duration length) {
  std::uint64_t most = 0;
  std::uint64_t sum = 0;
  auto first = hours.begin();
  for (const auto& hour : hours) {
    sum += hour.bytes;
    for (; first->begin + std::chrono::hours{1} + length <= hour.begin; ++first)
      sum -= first->bytes;
    most = std::max(most, sum);
  }
  return most;
}

}  // namespace

SizeNeeded size_needed(const Traffic& traffic, Instant now, Duration wanted) {
  const auto earliest = std::max(traffic.since(), now - Traffic::kept);
  SizeNeeded needed;
  needed.measured = std::max(now - earliest, Duration::zero());
  needed.bytes = most_within(traffic.hours(), wanted);
  if (needed.measured < wanted) {
    // Less than an hour says nothing about a day; an hour is taken for the least that can be scaled.
    const Duration base = std::max<Duration>(needed.measured, std::chrono::hours{1});
    const auto factor = static_cast<double>(wanted.count()) / static_cast<double>(base.count());
    needed.bytes = static_cast<std::uint64_t>(static_cast<double>(needed.bytes) * std::max(1.0, factor));
  }
  return needed;
}

}  // namespace dumpster
