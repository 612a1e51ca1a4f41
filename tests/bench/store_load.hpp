#pragma once

#include <atomic>
#include <condition_variable>
#include <filesystem>
#include <memory>
#include <mutex>
#include <random>

#include "dumpster/store.hpp"

namespace bench {

/// A clock that the load moves on, so that days pass in minutes. Thread-safe.
class LoadClock final : public dumpster::Clock {
 public:
  dumpster::Instant now() const override { return dumpster::Instant{dumpster::Duration{micros_.load()}}; }
  void advance(dumpster::Duration by) { micros_ += by.count(); }

 private:
  std::atomic<std::int64_t> micros_{1'800'000'000'000'000};
};

/// A folder that goes with the program.
class BenchFolder {
 public:
  BenchFolder();
  ~BenchFolder();
  BenchFolder(const BenchFolder&) = delete;
  BenchFolder& operator=(const BenchFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }
  /// Bytes that its files occupy on the disk.
  std::uint64_t disk_bytes() const;

 private:
  std::filesystem::path path_;
};

/// Takes mail in and delivers it to eight storage groups, as the relay would, with a bounded number under
/// way.
class StoreLoad {
 public:
  struct Sizes {
    double median = 0;  ///< bytes; log-normal
    double sigma = 0;
    std::uint64_t most = 0;
  };

  StoreLoad(LoadClock& clock, Sizes sizes, dumpster::RetentionLimits limits, std::filesystem::path path);

  static constexpr std::size_t groups = 8;
  static dumpster::StorageGroup group(std::size_t number);

  void open();
  void close();
  dumpster::Store& store() { return *store_; }
  /// Accepts and delivers `count` messages, each `apart` later than the one before it; returns when all of
  /// them are durable.
  void deliver(std::uint64_t count, dumpster::Duration apart);
  void retain();
  /// Bytes of the messages so far.
  std::uint64_t bytes_sent() const { return bytes_sent_; }

 private:
  void send_one();
  dumpster::StorageGroup choose_group();
  void wait_until_under_way(std::size_t most);
  void settled(bool well);

  static constexpr std::size_t most_under_way = 256;

  LoadClock& clock_;
  const dumpster::RetentionLimits limits_;
  const std::filesystem::path path_;
  const std::uint64_t most_size_;
  std::mt19937_64 random_{1};
  std::lognormal_distribution<double> sizes_;
  std::string noise_;
  std::unique_ptr<dumpster::Store> store_;
  std::uint64_t bytes_sent_ = 0;

  std::mutex mutex_;
  std::condition_variable fewer_;
  std::size_t under_way_ = 0;
  bool failed_ = false;
};

}  // namespace bench
