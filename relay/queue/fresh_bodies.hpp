#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <string>

namespace relay {

/// Bodies of messages just accepted, kept in memory until their first attempt so that the ordinary way reads
/// nothing back from the store. Bounded in sum: what does not fit is read from the store. Thread-safe.
class FreshBodies {
 public:
  explicit FreshBodies(std::size_t limit)
      : held_(std::make_shared<std::atomic<std::size_t>>(0)), limit_(limit) {}

  /// The body behind a shared pointer, or nothing when there is no room.
  std::shared_ptr<const std::string> keep(std::string body) {
    const auto size = body.size();
    if (held_->fetch_add(size) + size > limit_) {
      held_->fetch_sub(size);
      return nullptr;
    }
    auto give_back = [held = held_, size](const std::string* kept) {
      held->fetch_sub(size);
      delete kept;
    };
    return {new std::string(std::move(body)), std::move(give_back)};
  }

 private:
  std::shared_ptr<std::atomic<std::size_t>> held_;
  std::size_t limit_;
};

}  // namespace relay
