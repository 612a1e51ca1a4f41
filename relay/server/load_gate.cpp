#include "relay/server/load_gate.hpp"

#include <unistd.h>

#include <fstream>

namespace relay {
namespace {

constexpr int looks_until_calm = 3;

std::uint64_t resident_memory() {
  std::ifstream file{"/proc/self/statm"};
  std::uint64_t total = 0;
  std::uint64_t resident = 0;
  file >> total >> resident;
  return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

}  // namespace

std::uint64_t half_of_memory() {
  return static_cast<std::uint64_t>(::sysconf(_SC_PHYS_PAGES)) / 2 *
         static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

LoadSample look_at_machine(const std::filesystem::path& data_dir, bool store_writable) {
  LoadSample sample;
  std::error_code error;
  const auto space = std::filesystem::space(data_dir, error);
  if (!error) sample.free_disk = space.available;
  sample.memory = resident_memory();
  sample.store_writable = store_writable;
  return sample;
}

void LoadGate::look(const LoadSample& sample, const LoadGateSettings& settings) {
  const auto enough_disk = settings.min_free_disk + (disk_low_ ? settings.min_free_disk / 4 : 0);
  disk_low_ = sample.free_disk < enough_disk;
  const auto much_memory = settings.max_memory - (memory_high_ ? settings.max_memory / 10 : 0);
  memory_high_ = settings.max_memory != 0 && sample.memory > much_memory;

  const std::chrono::nanoseconds slowest{slowest_.exchange(0)};
  const std::chrono::nanoseconds limit = settings.max_commit_time;
  if (limit.count() == 0) {
    commits_slow_ = false;
  } else if (slowest > limit) {
    commits_slow_ = true;
    calm_looks_ = 0;
  } else {
    calm_looks_ = slowest <= limit / 2 ? calm_looks_ + 1 : 0;
    if (calm_looks_ >= looks_until_calm) commits_slow_ = false;
  }

  auto reason = Reason::none;
  if (commits_slow_) reason = Reason::commit_time;
  if (memory_high_) reason = Reason::memory;
  if (disk_low_) reason = Reason::disk;
  if (!sample.store_writable) reason = Reason::store;
  reason_.store(reason, std::memory_order_relaxed);
}

void LoadGate::committed(std::chrono::nanoseconds duration) {
  auto slowest = slowest_.load(std::memory_order_relaxed);
  while (slowest < duration.count() && !slowest_.compare_exchange_weak(slowest, duration.count())) {
  }
}

std::string_view to_string(LoadGate::Reason reason) {
  switch (reason) {
    case LoadGate::Reason::none:
      return "none";
    case LoadGate::Reason::store:
      return "store";
    case LoadGate::Reason::disk:
      return "disk";
    case LoadGate::Reason::memory:
      return "memory";
    case LoadGate::Reason::commit_time:
      return "commit_time";
  }
  return "none";
}

}  // namespace relay
