#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>

namespace relay {

/// The open sessions, for counting and for stopping them. Thread-safe; touched when a session begins and
/// ends, never in between.
class SessionRegistry {
 public:
  using Id = std::uint64_t;

  /// `stop` asks the session to end at the next good place; it is called on any thread. Nothing when `limit`
  /// sessions are open already or everything is being stopped.
  std::optional<Id> add(std::function<void()> stop, std::size_t limit);
  void remove(Id id);

  /// Asks all sessions to end, lets none begin any more, and waits for them. False when some are still open
  /// after `patience`.
  bool stop_all(std::chrono::milliseconds patience);
  std::size_t count() const;

 private:
  mutable std::mutex mutex_;
  std::condition_variable ended_;
  std::map<Id, std::function<void()>> sessions_;
  Id next_ = 1;
  bool stopping_ = false;
};

}  // namespace relay
