#include "dumpster/rocksdb/committer.hpp"

#include <pthread.h>

#include "dumpster/codec.hpp"
#include "dumpster/rocksdb/reopening.hpp"
#include "dumpster/rocksdb/retention.hpp"
#include "dumpster/rocksdb/writing.hpp"
#include "metrics/log.hpp"

namespace dumpster::rocks {
namespace {

constexpr std::size_t most_changes = 512;
constexpr std::size_t most_bytes = 16U * 1024 * 1024;
constexpr std::size_t most_evicted = 1000;

}  // namespace

Committer::Committer(Database& database, Tables tables, TrafficBook& traffic, const Clock& clock,
                     metrics::HubMetrics* metrics)
    : database_(database),
      traffic_(traffic),
      clock_(clock),
      metrics_(metrics),
      tables_(std::move(tables)),
      published_(tables_) {
  thread_ = std::thread{[this] {
    ::pthread_setname_np(::pthread_self(), "committer");
    run();
  }};
}

Committer::~Committer() {
  stop();
}

void Committer::stop() {
  {
    const std::lock_guard lock{mutex_};
    stopping_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void Committer::enqueue(std::unique_ptr<PendingChange> pending) {
  {
    const std::lock_guard lock{mutex_};
    if (!stopping_) {
      waiting_weight_.fetch_add(pending->weight, std::memory_order_relaxed);
      queue_.push_back(std::move(pending));
    }
  }
  if (pending) {
    pending->refuse({Fault::unavailable, "the store is closed"});
  } else {
    wake_.notify_one();
  }
}

void Committer::run() {
  while (true) {
    auto pendings = take();
    if (!pendings.empty()) commit(std::move(pendings));
    if (ended()) return;
    if (failed_) reopen_when_due();
  }
}

bool Committer::ended() {
  const std::lock_guard lock{mutex_};
  return stopping_ && queue_.empty();
}

Committer::Pendings Committer::take() {
  std::unique_lock lock{mutex_};
  const auto something = [this] { return stopping_ || !queue_.empty(); };
  if (failed_) {
    wake_.wait_until(lock, next_try_, something);
  } else {
    wake_.wait(lock, something);
  }
  Pendings taken;
  std::size_t bytes = 0;
  while (!queue_.empty() && taken.size() < most_changes && bytes < most_bytes) {
    bytes += queue_.front()->weight;
    taken.push_back(std::move(queue_.front()));
    queue_.pop_front();
  }
  waiting_weight_.fetch_sub(bytes, std::memory_order_relaxed);
  return taken;
}

bool Committer::apply(PendingChange& pending, Batch& batch, Instant clock) {
  if (failed_) {
    pending.refuse({Fault::unavailable, "the store cannot write since a write has failed"});
    return false;
  }
  try {
    Change change{database_, tables_, batch, clock};
    pending.apply(change);
    change.join();
    return true;
  } catch (const Refused& refused) {
    pending.refuse(refused.error());
  } catch (const std::exception& failure) {
    metrics::log_error("store_change_failed", {{"reason", failure.what()}});
    pending.refuse({Fault::unavailable, failure.what()});
  }
  return false;
}

void Committer::commit(Pendings pendings) {
  const auto clock = clock_.now();
  Batch batch;
  Pendings applied;
  bool synced = false;
  for (auto& pending : pendings) {
    if (!apply(*pending, batch, clock)) continue;
    synced = synced || pending->synced;
    applied.push_back(std::move(pending));
  }
  if (applied.empty()) return;
  retain(batch, clock);
  const auto begun = std::chrono::steady_clock::now();
  const bool changed = changes_anything(batch);
  const auto status = changed ? write(database_, tables_, batch, synced) : rocksdb::Status::OK();
  if (!status.ok()) {
    fail(status, applied);
    for (const auto& pending : applied)
      pending->refuse({Fault::unavailable, "writing failed: " + status.ToString()});
    return;
  }
  const auto took = std::chrono::steady_clock::now() - begun;
  publish(batch);
  for (const auto& pending : applied)
    pending->complete();
  if (metrics_ != nullptr && synced && changed) metrics_->committed(took, applied.size());
}

void Committer::retain(Batch& batch, Instant clock) {
  for (const auto& group : batch.grown_groups) {
    try {
      Change change{database_, tables_, batch, clock};
      evict_by_size(change, group, most_evicted);
      change.join();
    } catch (const Refused& refused) {
      metrics::log_error(
          "retention_failed",
          {{"cluster", group.cluster}, {"storage_group", group.group}, {"reason", refused.error().detail}});
    }
  }
}

/// A look at retention that finds nothing to remove, or a call repeated, needs no write: an idle hub leaves
/// its disk alone.
bool Committer::changes_anything(const Batch& batch) const {
  if (!batch.dirty_clusters.empty() || !batch.dirty_groups.empty() || !batch.history.empty()) return true;
  for (const auto& records : batch.overlay) {
    if (!records.empty()) return true;
  }
  return encode(tables_.hub) != encode(published_.hub);
}

void Committer::publish(const Batch& batch) {
  {
    const std::lock_guard lock{published_mutex_};
    published_.hub = tables_.hub;
    published_.resubmissions = tables_.resubmissions;
    if (batch.dirty_at_work) published_.at_work = tables_.at_work;
    for (const auto& name : batch.dirty_clusters)
      published_.clusters.at(name).record = tables_.clusters.at(name).record;
    for (const auto& name : batch.dirty_groups)
      published_.groups.at(name) = tables_.groups.at(name);
  }
  for (const auto& [group, retained] : batch.counted.retained)
    traffic_.add(group, published_.hub.last_time, retained);
  if (metrics_ == nullptr) return;
  for (const auto& [group, retained] : batch.counted.retained)
    metrics_->retained(group.cluster, group.group, retained.deliveries);
  for (const auto& [which, count] : batch.counted.removed) {
    metrics_->removed(which.first.cluster, which.first.group, which.second, count);
  }
  for (const auto& [group, count] : batch.counted.unconfirmed)
    metrics_->removed_unconfirmed(group.cluster, group.group, count);
  for (const auto& [result, count] : batch.counted.resubmitted)
    metrics_->resubmitted_messages(result, count);
}

void Committer::fail(const rocksdb::Status& status, const Pendings& refused) {
  failed_ = true;
  failed_tries_ = 0;
  next_try_ = std::chrono::steady_clock::now();
  disk_was_full_ = status.IsNoSpace();
  for (const auto& pending : refused) {
    if (pending->accepted) refused_.push_back(*pending->accepted);
  }
  metrics::log_error("store_write_failed", {{"reason", status.ToString()}});
}

void Committer::reopen_when_due() {
  const auto now = std::chrono::steady_clock::now();
  if (now < next_try_) return;
  std::string reason = "no room on the disk";
  if (!disk_was_full_ || room_for_opening(database_)) {
    try {
      reopen();
      return;
    } catch (const Refused& refused) {
      reason = refused.error().detail;
    }
  }
  ++failed_tries_;
  next_try_ = now + pause_before_opening(failed_tries_);
  metrics::log_error("store_not_reopened", {{"try", failed_tries_}, {"reason", reason}});
}

void Committer::reopen() {
  if (before_reopening_) before_reopening_();
  value_or_refuse(database_.open_again());
  tables_ = read_again(database_, tables_);
  Batch batch;
  {
    Change change{database_, tables_, batch, clock_.now()};
    take_back(change, refused_);
    change.join();
  }
  const auto status = write(database_, tables_, batch, true);
  if (!status.ok()) throw Refused{error_from(status, "the first write after opening again")};
  {
    const std::lock_guard lock{published_mutex_};
    published_ = tables_;
  }
  const auto taken_back = refused_.size();
  refused_.clear();
  failed_ = false;
  ++reopened_;
  if (metrics_ != nullptr) metrics_->store_reopened();
  metrics::log_warning("store_reopened", {{"tries", failed_tries_ + 1}, {"refused_messages", taken_back}});
}

}  // namespace dumpster::rocks
