#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <thread>
#include <vector>

#include "dumpster/rocksdb/change.hpp"
#include "dumpster/rocksdb/traffic_book.hpp"
#include "dumpster/store.hpp"
#include "metrics/hub_metrics.hpp"

namespace dumpster::rocks {

/// A change that waits for the committer.
class PendingChange {
 public:
  virtual ~PendingChange() = default;
  virtual void apply(Change& change) = 0;  ///< throws `Refused`
  virtual void complete() = 0;             ///< it is durable
  virtual void refuse(const Error& error) = 0;

  std::size_t weight = 0;        ///< bytes, roughly
  std::optional<Uuid> accepted;  ///< the message that it accepts: taken back when nobody is told
  bool synced = true;  ///< durable before `complete`; without, it becomes durable with the next that is
};

/// After a failed write its outcome is unknown: everything is refused until the database has been opened
/// again, what was refused and may be there all the same is taken back, and that is durable.
///
/// Takes changes in order, applies several of them to one batch, writes that once and then tells their
/// callers. All decisions about what the store holds are made on its one thread, so they never race.
/// Thread-safe.
class Committer {
 public:
  Committer(Database& database, Tables tables, TrafficBook& traffic, const Clock& clock,
            metrics::HubMetrics* metrics);
  ~Committer();
  Committer(const Committer&) = delete;
  Committer& operator=(const Committer&) = delete;

  /// `apply(Change&)` gives the `T` of `done`.
  template <class T, class Apply>
  void submit(Apply apply, Completion<T> done, std::size_t weight = 0, bool synced = true,
              std::optional<Uuid> accepted = std::nullopt);

  /// Refused when too much waits already; for mail that comes in, which can be sent later again.
  bool overloaded() const { return waiting_weight_.load(std::memory_order_relaxed) > most_waiting; }
  bool writable() const { return !failed_.load(); }
  /// How often the database has been opened again.
  std::uint64_t reopened() const { return reopened_.load(); }
  /// Called on the committer's thread before that. To be set before the first change.
  void before_reopening(std::function<void()> action) { before_reopening_ = std::move(action); }

  /// Calls `look` with the tables as last written. It must be short.
  template <class Look>
  auto look(Look look) const {
    const std::lock_guard lock{published_mutex_};
    return look(published_);
  }

  /// Takes nothing more, finishes what waits and ends the thread.
  void stop();

 private:
  using Pendings = std::vector<std::unique_ptr<PendingChange>>;
  static constexpr std::size_t most_waiting = 256U * 1024 * 1024;

  void enqueue(std::unique_ptr<PendingChange> pending);
  void run();
  bool ended();
  Pendings take();
  void commit(Pendings pendings);
  bool apply(PendingChange& pending, Batch& batch, Instant clock);
  void retain(Batch& batch, Instant clock);
  bool changes_anything(const Batch& batch) const;
  void publish(const Batch& batch);
  void fail(const rocksdb::Status& status, const Pendings& refused);
  void reopen_when_due();
  void reopen();

  Database& database_;
  TrafficBook& traffic_;
  const Clock& clock_;
  metrics::HubMetrics* const metrics_;

  Tables tables_;  ///< the committer's thread alone

  mutable std::mutex published_mutex_;
  Tables published_;

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::unique_ptr<PendingChange>> queue_;
  std::atomic<std::size_t> waiting_weight_{0};
  bool stopping_ = false;
  std::atomic<bool> failed_{false};
  std::atomic<std::uint64_t> reopened_{0};

  // While `failed_`; the committer's thread alone.
  std::chrono::steady_clock::time_point next_try_{};
  unsigned failed_tries_ = 0;
  bool disk_was_full_ = false;
  std::vector<Uuid>
      refused_;  ///< messages that may have been accepted, and whose senders were told that they were not
  std::function<void()> before_reopening_;

  std::thread thread_;
};

template <class T, class Apply>
void Committer::submit(Apply apply, Completion<T> done, std::size_t weight, bool synced,
                       std::optional<Uuid> accepted) {
  class Typed final : public PendingChange {
   public:
    Typed(Apply apply_change, Completion<T> when_done)
        : apply_(std::move(apply_change)), done_(std::move(when_done)) {}
    void apply(Change& change) override { value_.emplace(apply_(change)); }
    void complete() override { done_(std::move(*value_)); }
    void refuse(const Error& error) override { done_(error); }

   private:
    Apply apply_;
    Completion<T> done_;
    std::optional<T> value_;
  };
  auto pending = std::make_unique<Typed>(std::move(apply), std::move(done));
  pending->weight = weight;
  pending->synced = synced;
  pending->accepted = accepted;
  enqueue(std::move(pending));
}

}  // namespace dumpster::rocks
