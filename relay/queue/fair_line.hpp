#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <list>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "relay/queue/job.hpp"

namespace relay {

/// Jobs of one priority for one destination. Senders take turns, one job a turn, so that one bulk sender
/// never delays the others; a sender's own jobs keep their order. Pure. Not thread-safe.
class FairLine {
 public:
  void add(Job job);
  /// To be called only while `waiting` is not 0.
  Job take();
  /// Takes out the jobs for which `wanted` is true; the order of the others stays. What `wanted` changes must
  /// not be a job's message.
  void remove(const std::function<bool(Job&)>& wanted, std::vector<Job>& removed);
  void each(const std::function<void(const Job&)>& visit) const;
  std::size_t waiting() const { return waiting_; }

 private:
  std::unordered_map<std::string, std::list<Job>> by_sender_;
  std::deque<std::string> turns_;  ///< senders with jobs, each once, the next one first
  std::size_t waiting_ = 0;
};

/// Who counts as one sender: the address without what is different in each mail of a list or a bulk sender
/// (`+detail`, `=recipient`, numbers), in lower case.
std::string sender_class(std::string_view address);

}  // namespace relay
