#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "dumpster/store.hpp"
#include "relay/server/passwords.hpp"

namespace relay {

/// Checks passwords on a thread of its own: hashing is slow on purpose, and io threads must not wait for it.
/// Thread-safe.
class Authenticator {
 public:
  enum class Verdict : std::uint8_t {
    accepted,
    refused,
    busy,  ///< too many wait already, or everything is being stopped
  };

  /// `max_waiting`: passwords that wait for their turn; what comes beyond them is `busy` at once.
  explicit Authenticator(std::size_t max_waiting = 64);
  ~Authenticator();
  Authenticator(const Authenticator&) = delete;
  Authenticator& operator=(const Authenticator&) = delete;

  /// `done` is called once, on the authenticator's thread or before this returns.
  void check(std::shared_ptr<const Passwords> passwords, std::string user, std::string password,
             dumpster::Completion<Verdict> done);
  /// Whoever still waits gets `busy`, and so does whoever comes later. Returns when nothing is under way: to
  /// be called while those who wait still live.
  void stop();

 private:
  struct Task {
    std::shared_ptr<const Passwords> passwords;
    std::string user;
    std::string password;
    dumpster::Completion<Verdict> done;
  };
  void run();

  const std::size_t max_waiting_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Task> tasks_;
  bool stopping_ = false;
  std::thread thread_;  // begins with the first task
};

}  // namespace relay
