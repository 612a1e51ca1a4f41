#pragma once

#include <unistd.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <filesystem>
#include <future>
#include <map>
#include <string>
#include <vector>

#include "dumpster/rocksdb_store.hpp"

namespace dumpster::testing {

using namespace std::chrono_literals;

/// A clock that stands until it is told to move. Thread-safe.
class FakeClock final : public Clock {
 public:
  Instant now() const override { return Instant{Duration{micros_.load()}}; }
  void advance(Duration by) { micros_ += by.count(); }
  void set(Instant to) { micros_ = to.time_since_epoch().count(); }

 private:
  std::atomic<std::int64_t> micros_{1'800'000'000'000'000};
};

/// A folder that goes with the test.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "dumpster-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no temporary folder");
    path_ = pattern;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

/// Starts a call and waits for its result.
template <class T, class Start>
Result<T> wait_for(Start start) {
  auto promise = std::make_shared<std::promise<Result<T>>>();
  auto future = promise->get_future();
  start([promise](Result<T> result) { promise->set_value(std::move(result)); });
  if (future.wait_for(60s) != std::future_status::ready)
    throw std::runtime_error("the store does not answer");
  return future.get();
}

/// The value of a call that must succeed.
template <class T, class Start>
T wait_value(Start start) {
  auto result = wait_for<T>(std::move(start));
  if (!result)
    throw std::runtime_error(std::string{to_string(result.error().fault)} + ": " + result.error().detail);
  return std::move(*result);
}

inline const StorageGroup sg1{"ccr1", "sg1"};
inline const StorageGroup sg2{"ccr1", "sg2"};

/// A store with one cluster `ccr1` of node1 (active) and node2, groups sg1 and sg2.
class StoreFixture {
 public:
  StoreFixture();
  /// Every test ends with a walk over what it has left behind.
  ~StoreFixture();
  StoreFixture(const StoreFixture&) = delete;
  StoreFixture& operator=(const StoreFixture&) = delete;

  Store& store() { return *store_; }
  FakeClock& clock() { return clock_; }
  std::filesystem::path path() const { return folder_.path() / "store"; }
  RocksDbStoreOptions options() const;
  RetentionLimits& limits() { return limits_; }

  /// Opens it again, after `close` or as after a crash of the process.
  void reopen(bool clean = true);
  void shut(bool clean = true);
  /// Walks over the closed store and checks that everything in it agrees.
  void verify();
  Result<std::unique_ptr<Store>> try_open() { return open_rocksdb_store(options()); }

  // --- doing
  /// A message to `recipients`, accepted; its body is `size` bytes.
  Message accept(std::vector<std::string> recipients = {"alice@example.test"}, std::size_t size = 100);
  NewMessage new_message(std::vector<std::string> recipients, std::size_t size);
  static std::string body_of(const Message& message);
  AttemptOutcome outcome(const Message& message, std::vector<std::uint32_t> indices,
                         RecipientOutcome::Kind kind, std::optional<StorageGroup> group = sg1,
                         std::uint32_t attempt = 1);
  AttemptRecorded record(AttemptOutcome outcome);
  /// Delivers all recipients to a group.
  void deliver(const Message& message, const StorageGroup& group = sg1, std::uint32_t attempt = 1);
  void put_in_doubt(const Message& message, const StorageGroup& group = sg1, std::uint32_t attempt = 1);
  ActivationResult activate(std::string node, std::uint64_t term, bool by_agent = false);
  /// Accepted, and all of it released into the spool; what of it was loaded is in `touched`.
  ResubmissionAccepted resubmit(ResubmissionRequest request);
  /// Only accepted.
  ResubmissionAccepted accept_resubmission(ResubmissionRequest request);
  std::vector<Uuid> release(std::size_t most = 1'000'000);
  /// Until there is nothing left to settle.
  void settle_resubmissions();
  ResubmissionRequest window(std::string key, const StorageGroup& group = sg1);
  ResubmissionRequest items(std::string key, std::vector<ResubmissionItem> items,
                            const StorageGroup& group = sg1);
  Resubmission resubmission(Uuid id);

  // --- looking
  std::vector<Delivery> lines(const StorageGroup& group = sg1);
  Delivery only_line(const StorageGroup& group = sg1);
  std::optional<SpooledMessage> spooled(const Uuid& message);
  std::size_t spool_size();
  Result<std::string> body(const Uuid& message, std::uint32_t chunk = 0);
  StorageGroupState group(const StorageGroup& name = sg1);
  ClusterState cluster();
  Instant snapshot();
  /// Applies retention and waits until it has been.
  void retain();

  metrics::HubMetrics* metrics = nullptr;  ///< given to the store when it is opened
  std::string node = "node1";              ///< what outcomes name as their target
  std::uint64_t term = 0;

 private:
  TemporaryFolder folder_;
  FakeClock clock_;
  RetentionLimits limits_;
  std::unique_ptr<Store> store_;
};

}  // namespace dumpster::testing
