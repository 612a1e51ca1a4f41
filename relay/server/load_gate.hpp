#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string_view>

namespace relay {

/// From when on new mail is refused; 0 stands for never.
struct LoadGateSettings {
  std::uint64_t min_free_disk = 16ULL << 20;          ///< bytes left where the store is
  std::uint64_t max_memory = 0;                       ///< bytes that this process has resident
  std::chrono::milliseconds max_commit_time{10'000};  ///< for one message

  bool operator==(const LoadGateSettings&) const = default;
};

/// What was seen of the machine.
struct LoadSample {
  bool store_writable = true;
  std::uint64_t free_disk = UINT64_MAX;
  std::uint64_t memory = 0;
};
/// Half of what this machine has, in bytes.
std::uint64_t half_of_memory();
LoadSample look_at_machine(const std::filesystem::path& data_dir, bool store_writable);

/// Refuses new mail with 4xx while disk, memory or the store are in distress. What closes it has to recover
/// by a margin before it opens again: free space by a quarter, memory by a tenth, commits to half the time
/// for three looks. Thread-safe; `look` from one thread.
class LoadGate {
 public:
  enum class Reason : std::uint8_t { none, store, disk, memory, commit_time };

  /// Called about every second.
  void look(const LoadSample& sample, const LoadGateSettings& settings);
  /// A message took so long to become durable, or was given up after so long.
  void committed(std::chrono::nanoseconds duration);

  Reason reason() const { return reason_.load(std::memory_order_relaxed); }
  bool closed() const { return reason() != Reason::none; }

 private:
  std::atomic<Reason> reason_{Reason::none};
  std::atomic<std::int64_t> slowest_{0};  ///< nanoseconds, since the last look
  int calm_looks_ = 0;
  bool disk_low_ = false;
  bool memory_high_ = false;
  bool commits_slow_ = false;
};

std::string_view to_string(LoadGate::Reason reason);

}  // namespace relay
