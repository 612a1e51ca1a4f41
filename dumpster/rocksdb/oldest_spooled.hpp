#pragma once

#include <chrono>
#include <mutex>
#include <optional>

#include "dumpster/rocksdb/reading.hpp"

namespace dumpster::rocks {

/// The time of the oldest message in the spool, looked at once a second at the most. Thread-safe.
class OldestSpooled {
 public:
  std::optional<Instant> look(const Database& database) {
    const std::lock_guard lock{mutex_};
    const auto now = std::chrono::steady_clock::now();
    if (oldest_ && now < looked_at_ + looked_at_every) return oldest_;
    looked_at_ = now;
    const auto use = database.use();
    const auto oldest = use ? oldest_spooled(database) : oldest_;
    if (oldest) oldest_ = *oldest;
    return oldest_;
  }

 private:
  static constexpr std::chrono::seconds looked_at_every{1};

  std::mutex mutex_;
  std::optional<Instant> oldest_;
  std::chrono::steady_clock::time_point looked_at_{};
};

}  // namespace dumpster::rocks
