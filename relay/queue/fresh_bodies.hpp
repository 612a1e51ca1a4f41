#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace relay {

/// The body of one message in memory, in the chunks in which it lies in the store. Filled by one thread, and
/// not changed any more once it is shared.
class FreshBody {
 public:
  /// Counts what it holds in `held`, which is to stay below `limit`.
  FreshBody(std::shared_ptr<std::atomic<std::size_t>> held, std::size_t limit)
      : held_(std::move(held)), limit_(limit) {}
  ~FreshBody() { held_->fetch_sub(size_); }
  FreshBody(const FreshBody&) = delete;
  FreshBody& operator=(const FreshBody&) = delete;

  /// False when there is no room for the chunk, or the message is a large one: it is to be read from the
  /// store.
  bool add(const std::string& chunk) {
    const auto size = chunk.size();
    if (size_ + size > most_of_one) return false;
    if (held_->fetch_add(size) + size > limit_) {
      held_->fetch_sub(size);
      return false;
    }
    size_ += size;
    chunks_.push_back(chunk);
    return true;
  }
  const std::vector<std::string>& chunks() const { return chunks_; }

 private:
  static constexpr std::size_t most_of_one = 256U * 1024;

  std::shared_ptr<std::atomic<std::size_t>> held_;
  std::size_t limit_;
  std::size_t size_ = 0;
  std::vector<std::string> chunks_;
};

/// Bodies of messages just accepted, kept in memory until their first attempt so that the ordinary way reads
/// nothing back from the store. Bounded in sum: what does not fit is read from the store. Thread-safe.
class FreshBodies {
 public:
  explicit FreshBodies(std::size_t limit)
      : held_(std::make_shared<std::atomic<std::size_t>>(0)), limit_(limit) {}

  std::shared_ptr<FreshBody> begin() { return std::make_shared<FreshBody>(held_, limit_); }
  /// Bytes held now.
  std::size_t held() const { return held_->load(); }

 private:
  std::shared_ptr<std::atomic<std::size_t>> held_;
  std::size_t limit_;
};

}  // namespace relay
