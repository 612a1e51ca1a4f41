#pragma once

#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <functional>
#include <memory>

namespace recovery::http {

/// Calls `expire` when `arm` or `disarm` has not been called again in time. The call comes on the executor.
class Deadline {
 public:
  Deadline(const boost::asio::any_io_executor& executor, std::function<void()> expire)
      : state_(std::make_shared<State>(executor, std::move(expire))) {}
  ~Deadline() { disarm(); }
  Deadline(const Deadline&) = delete;
  Deadline& operator=(const Deadline&) = delete;

  void arm(std::chrono::milliseconds after) {
    state_->expired = false;
    const auto generation = ++state_->generation;
    state_->timer.expires_after(after);
    state_->timer.async_wait([state = state_, generation](const boost::system::error_code& error) {
      if (error || state->generation != generation) return;
      state->expired = true;
      state->expire();
    });
  }
  void disarm() {
    ++state_->generation;
    state_->timer.cancel();
  }
  /// Whether the last deadline armed has passed.
  bool expired() const { return state_->expired; }

 private:
  struct State {
    State(const boost::asio::any_io_executor& executor, std::function<void()> expire_now)
        : timer(executor), expire(std::move(expire_now)) {}
    boost::asio::steady_timer timer;
    std::function<void()> expire;
    std::uint64_t generation = 0;
    bool expired = false;
  };
  std::shared_ptr<State> state_;
};

}  // namespace recovery::http
