#pragma once

#include <cstdint>
#include <utility>

namespace recovery::http {

/// Bounds what the large bodies that are read or worked on at one time take together. Not thread-safe.
class LargeBodies {
 public:
  explicit LargeBodies(std::uint64_t most) : left_(most) {}

  /// Room taken until it is reset or gone; false when there was not enough.
  class Room {
   public:
    Room() = default;
    Room(LargeBodies& of, std::uint64_t size) : of_(&of), size_(size) {}
    Room(Room&& other) noexcept : of_(std::exchange(other.of_, nullptr)), size_(other.size_) {}
    Room& operator=(Room&& other) noexcept {
      reset();
      of_ = std::exchange(other.of_, nullptr);
      size_ = other.size_;
      return *this;
    }
    ~Room() { reset(); }
    explicit operator bool() const { return of_ != nullptr; }
    void reset() {
      if (of_ != nullptr) of_->left_ += size_;
      of_ = nullptr;
    }

   private:
    LargeBodies* of_ = nullptr;
    std::uint64_t size_ = 0;
  };

  Room take(std::uint64_t size) {
    if (size > left_) return {};
    left_ -= size;
    return {*this, size};
  }

 private:
  std::uint64_t left_;
};

}  // namespace recovery::http
