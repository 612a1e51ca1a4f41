#pragma once

#include <memory>
#include <mutex>

namespace relay {

/// A value that is replaced as a whole while others use it: who has taken the old one goes on with it.
/// Thread-safe.
template <class T>
class Reloadable {
 public:
  explicit Reloadable(std::shared_ptr<const T> value) : value_(std::move(value)) {}

  std::shared_ptr<const T> get() const {
    const std::lock_guard lock{mutex_};
    return value_;
  }
  void set(std::shared_ptr<const T> value) {
    const std::lock_guard lock{mutex_};
    value_ = std::move(value);
  }

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const T> value_;
};

}  // namespace relay
