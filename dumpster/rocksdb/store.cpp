#include <atomic>
#include <utility>

#include "dumpster/rocksdb/agent_contacts.hpp"
#include "dumpster/rocksdb/attempt_changes.hpp"
#include "dumpster/rocksdb/cluster_changes.hpp"
#include "dumpster/rocksdb/committer.hpp"
#include "dumpster/rocksdb/gauges.hpp"
#include "dumpster/rocksdb/history.hpp"
#include "dumpster/rocksdb/long_work.hpp"
#include "dumpster/rocksdb/oldest_spooled.hpp"
#include "dumpster/rocksdb/opening.hpp"
#include "dumpster/rocksdb/purge_changes.hpp"
#include "dumpster/rocksdb/reader_pool.hpp"
#include "dumpster/rocksdb/reading.hpp"
#include "dumpster/rocksdb/reclaiming.hpp"
#include "dumpster/rocksdb/resubmission_intake.hpp"
#include "dumpster/rocksdb/retention.hpp"
#include "dumpster/rocksdb/spool_changes.hpp"
#include "dumpster/rocksdb_store.hpp"

namespace dumpster {
namespace {

using namespace rocks;

constexpr std::size_t most_evicted = 1000;
/// How far the durable time of an agent's contact may lie behind.
constexpr Duration contact_written_every = std::chrono::seconds{60};

const Error overloaded{Fault::unavailable, "the store has too much to write"};

Error unknown_group(const StorageGroup& group) {
  return {Fault::not_found, "no storage group " + group.cluster + '/' + group.group + " is configured"};
}

/// Hands changes to the committer and reads to the reader pool.
class RocksDbStore final : public Store {
 public:
  RocksDbStore(Opened opened, const RocksDbStoreOptions& options)
      : clock_(*options.clock),
        metrics_(options.metrics),
        clean_shutdown_(opened.clean_shutdown),
        database_(std::move(opened.database)),
        traffic_(std::move(opened.traffic)),
        committer_(*database_, std::move(opened.tables), *traffic_, clock_, metrics_),
        reclaiming_(*database_),
        long_work_(*database_, Folder{options.path}) {
    committer_.before_reopening([this] { reclaiming_.stop(); });
  }

  ~RocksDbStore() override {
    committer_.stop();
    long_work_.stop();
    reclaiming_.stop();
    readers_.stop();
  }

  void append_body(Uuid message, std::uint32_t chunk, std::string bytes, Completion<Done> done) override {
    if (committer_.overloaded()) return done(overloaded);
    const auto weight = bytes.size();
    auto apply = [message, chunk, bytes = std::move(bytes)](Change& change) {
      append_chunk(change, message, chunk, bytes);
      return Done{};
    };
    committer_.submit<Done>(std::move(apply), std::move(done), weight, false);
  }

  void abandon_body(Uuid message) override {
    auto apply = [message](Change& change) {
      rocks::abandon_body(change, message);
      return Done{};
    };
    committer_.submit<Done>(
        std::move(apply), [](const Result<Done>&) {}, 0, false);
  }

  void read_body(Uuid message, std::uint32_t chunk, Completion<std::string> done) override {
    read<std::string>([this, message, chunk] { return read_chunk(*database_, message, chunk); },
                      std::move(done));
  }

  void accept(NewMessage message, Completion<Done> done) override {
    if (committer_.overloaded()) return done(overloaded);
    const auto weight = message.body.size() + 512;
    const auto key = message.message.key;
    auto apply = [message = std::move(message)](Change& change) {
      rocks::accept(change, message);
      return Done{};
    };
    committer_.submit<Done>(std::move(apply), std::move(done), weight, true, key);
  }

  void load(Uuid message, Completion<std::optional<SpooledMessage>> done) override {
    read<std::optional<SpooledMessage>>([this, message] { return rocks::load(*database_, message); },
                                        std::move(done));
  }

  void scan_spool(std::optional<Uuid> after, std::size_t limit,
                  Completion<std::vector<SpooledMessage>> done) override {
    read<std::vector<SpooledMessage>>(
        [this, after, limit] { return rocks::scan_spool(*database_, after, limit); }, std::move(done));
  }

  void hold_recipients(Uuid message, std::vector<std::uint32_t> recipients, bool held,
                       Completion<Done> done) override {
    auto apply = [=](Change& change) { return rocks::hold_recipients(change, message, recipients, held); };
    committer_.submit<Done>(std::move(apply), std::move(done));
  }

  void mark_trying(Uuid message, std::vector<std::uint32_t> recipients, Completion<Done> done) override {
    auto apply = [=](Change& change) { return rocks::mark_trying(change, message, recipients); };
    committer_.submit<Done>(std::move(apply), std::move(done));
  }

  void record(AttemptOutcome outcome, Completion<AttemptRecorded> done) override {
    const auto weight = outcome.notification ? outcome.notification->body.size() : 0;
    auto apply = [outcome = std::move(outcome)](Change& change) { return record_attempt(change, outcome); };
    committer_.submit<AttemptRecorded>(std::move(apply), std::move(done), weight);
  }

  SpoolTotals spool_totals() const override;

  void activate(Activation activation, Completion<ActivationResult> done) override {
    auto apply = [activation = std::move(activation)](Change& change) {
      return rocks::activate(change, activation);
    };
    committer_.submit<ActivationResult>(std::move(apply), std::move(done));
  }

  void recovered(std::string cluster, std::string node, std::uint64_t term, Completion<Done> done) override {
    auto apply = [=](Change& change) { return rocks::recovered(change, cluster, node, term); };
    committer_.submit<Done>(std::move(apply), std::move(done));
  }

  void hold(std::string cluster, std::optional<Instant> until, Completion<ClusterState> done) override {
    auto apply = [=](Change& change) { return rocks::hold(change, cluster, until); };
    committer_.submit<ClusterState>(std::move(apply), std::move(done));
  }

  void record_agent_contact(std::string cluster, std::string node) override;
  void cluster_state(std::string cluster, Completion<ClusterState> done) override;
  void storage_group_state(StorageGroup group, Completion<StorageGroupState> done) override;

  void snapshot(Completion<Snapshot> done) override {
    committer_.submit<Snapshot>([](Change& change) { return Snapshot{change.next_time()}; }, std::move(done));
  }

  void list(DeliveryQuery query, Completion<DeliveryPage> done) override {
    const auto number = group_number(query.group);
    if (!number) return done(unknown_group(query.group));
    read<DeliveryPage>(
        [this, number = *number, query = std::move(query), ended = intake_.ended_ones()] {
          return rocks::list(*database_, number, query, ended);
        },
        std::move(done));
  }

  void find(StorageGroup group, Uuid delivery_id, Completion<std::vector<Delivery>> done) override {
    const auto number = group_number(group);
    if (!number) return done(unknown_group(group));
    read<std::vector<Delivery>>(
        [this, number = *number, delivery_id, ended = intake_.ended_ones()] {
          return rocks::find(*database_, number, delivery_id, ended);
        },
        std::move(done));
  }

  Result<Traffic> traffic(const StorageGroup& group) const override {
    if (!group_number(group)) return unknown_group(group);
    return traffic_->of(group);
  }

  void purge(PurgeRequest request, Completion<Purged> done) override {
    auto apply = [request = std::move(request)](Change& change) { return rocks::purge(change, request); };
    committer_.submit<Purged>(std::move(apply), std::move(done));
  }

  void mark_absent(AbsentReport report, Completion<Done> done) override {
    auto apply = [report = std::move(report)](Change& change) { return rocks::mark_absent(change, report); };
    committer_.submit<Done>(std::move(apply), std::move(done));
  }

  void history(HistoryQuery query, Completion<HistoryFound> done) override {
    auto groups = committer_.look([](const Tables& tables) { return tables.group_names(); });
    read<HistoryFound>([this, query = std::move(query),
                        groups = std::move(groups)] { return find_history(*database_, query, groups); },
                       std::move(done));
  }

  void report_replicated(ReplicationReport report, Completion<Instant> done) override {
    auto apply = [report = std::move(report)](Change& change) {
      const auto stands = rocks::report_replicated(change, report);
      truncate_replicated(change, report.group, most_evicted);
      return stands;
    };
    committer_.submit<Instant>(std::move(apply), std::move(done));
  }

  void resubmit(ResubmissionRequest request, Completion<ResubmissionAccepted> done) override {
    intake_.ask(std::move(request), std::move(done));
  }

  void resubmission(Uuid id, Completion<Resubmission> done) override {
    read<Resubmission>([this, id] { return read_resubmission(*database_, id); }, std::move(done));
  }

  void resubmissions(std::size_t limit, Completion<std::vector<Resubmission>> done) override {
    read<std::vector<Resubmission>>([this, limit] { return read_resubmissions(*database_, limit); },
                                    std::move(done));
  }

  void cancel(Uuid id, Completion<std::vector<Uuid>> done) override { intake_.cancel(id, std::move(done)); }
  ResubmissionWork resubmission_work(const std::string& cluster) const override {
    return intake_.work(cluster);
  }
  void release(std::string cluster, std::size_t most, Completion<std::vector<Uuid>> done) override {
    intake_.release(std::move(cluster), most, std::move(done));
  }
  void pause(std::string cluster, bool paused, Completion<Done> done) override {
    intake_.pause(std::move(cluster), paused, std::move(done));
  }
  void settle_resubmissions(Completion<std::vector<Uuid>> done) override { intake_.settle(std::move(done)); }

  HubIdentity identity() const override {
    return committer_.look([this](const Tables& tables) {
      return HubIdentity{tables.hub.store_id, tables.hub.store_created, tables.hub.sequence, clean_shutdown_};
    });
  }

  void backup(std::filesystem::path folder, Completion<BackupMade> done) override {
    long_work_.backup(std::move(folder), std::move(done));
  }
  void verify(Completion<Verification> done) override { long_work_.verify(std::move(done)); }

  void set_limits(StorageGroup group, RetentionLimits limits, Completion<Done> done) override {
    auto apply = [group = std::move(group), limits](Change& change) {
      rocks::set_limits(change, group, limits);
      return Done{};
    };
    committer_.submit<Done>(std::move(apply), std::move(done));
    retain();
  }

  void show_gauges() override;
  void retain() override;
  std::uint64_t times_reopened() const override { return committer_.reopened(); }
  bool writable() const override { return committer_.writable() && !closed_; }
  void close() override;

 private:
  template <class T, class Read>
  void read(Read job, Completion<T> done) {
    auto run = [this, job = std::move(job), done] {
      const auto use = database_->use();
      done(use ? job() : Result<T>{Error{Fault::unavailable, "the store is being opened again"}});
    };
    if (!readers_.post(std::move(run)))
      done(Error{Fault::unavailable, "the store has too much to read or is closed"});
  }

  std::optional<std::uint32_t> group_number(const StorageGroup& name) const {
    return committer_.look([&](const Tables& tables) -> std::optional<std::uint32_t> {
      const auto* group = tables.find_group(name);
      if (group == nullptr) return std::nullopt;
      return group->record.number;
    });
  }

  const Clock& clock_;
  metrics::HubMetrics* const metrics_;
  const bool clean_shutdown_;
  std::unique_ptr<Database> database_;
  const std::unique_ptr<TrafficBook> traffic_;
  Committer committer_;
  ResubmissionIntake intake_{committer_};
  ReaderPool readers_;
  Reclaiming reclaiming_;
  LongWork long_work_;

  std::atomic<bool> closed_{false};
  std::atomic<bool> retaining_{false};

  AgentContacts contacts_;
  mutable OldestSpooled oldest_spooled_;
};

SpoolTotals RocksDbStore::spool_totals() const {
  auto totals = committer_.look([](const Tables& tables) {
    return SpoolTotals{tables.hub.spool_messages, tables.hub.spool_bytes, std::nullopt};
  });
  if (totals.messages == 0 || closed_) return totals;
  totals.oldest = oldest_spooled_.look(*database_);
  return totals;
}

void RocksDbStore::record_agent_contact(std::string cluster, std::string node) {
  const auto now = clock_.now();
  const auto written = committer_.look([&](const Tables& tables) -> std::optional<Instant> {
    const auto* found = tables.find_cluster(cluster);
    if (found == nullptr || found->record.active != node) return std::nullopt;
    for (const auto& [heard_node, heard] : found->record.agent_seen) {
      if (heard_node == node) return heard;
    }
    return Instant::min();
  });
  if (!written) return;
  contacts_.heard(cluster, node, now);
  if (*written != Instant::min() && now < *written + contact_written_every) return;
  auto apply = [cluster = std::move(cluster), node = std::move(node), now](Change& change) {
    note_agent(change, cluster, node, now);
    return Done{};
  };
  committer_.submit<Done>(std::move(apply), [](const Result<Done>&) {});
}

void RocksDbStore::cluster_state(std::string cluster, Completion<ClusterState> done) {
  auto state = committer_.look([&](const Tables& tables) -> std::optional<ClusterState> {
    const auto* found = tables.find_cluster(cluster);
    if (found == nullptr) return std::nullopt;
    return found->state();
  });
  if (!state) return done(Error{Fault::not_found, "no cluster " + cluster + " is configured"});
  contacts_.show_in(*state);
  done(std::move(*state));
}

void RocksDbStore::storage_group_state(StorageGroup group, Completion<StorageGroupState> done) {
  std::uint32_t number = 0;
  auto state = committer_.look([&](const Tables& tables) -> std::optional<StorageGroupState> {
    const auto* found = tables.find_group(group);
    if (found == nullptr) return std::nullopt;
    number = found->record.number;
    StorageGroupState made;
    made.name = found->name;
    made.limits = found->limits;
    made.messages = found->record.messages;
    made.bytes = found->record.bytes;
    made.in_doubt = found->record.in_doubt;
    made.covered_from =
        found->limits.off() ? std::max(clock_.now(), tables.hub.last_time) : found->record.covered_from;
    return made;
  });
  if (!state) return done(unknown_group(group));
  read<StorageGroupState>(
      [this, number, state = std::move(*state)] { return with_ends(*database_, number, state); },
      std::move(done));
}

void RocksDbStore::show_gauges() {
  if (metrics_ == nullptr) return;
  const auto spool = spool_totals();
  const auto tables = committer_.look([](const Tables& written) { return written; });
  metrics_->damaged_places(database_->damage().count());
  rocks::show_gauges(tables, *traffic_, spool, clock_.now(), *metrics_);
}

void RocksDbStore::retain() {
  if (retaining_.exchange(true)) return;
  auto apply = [this](Change& change) {
    traffic_->write(change, false);
    return evict(change, most_evicted);
  };
  auto done = [this](const Result<std::size_t>& removed) {
    if (!closed_ && committer_.writable()) {
      database_->tend();
      reclaiming_.look();
    }
    retaining_ = false;
    // The rest in a write of its own, behind what waits by now.
    if (removed && *removed >= most_evicted && !closed_) retain();
  };
  committer_.submit<std::size_t>(std::move(apply), std::move(done));
}

void RocksDbStore::close() {
  if (closed_.exchange(true)) return;
  auto apply = [this](Change& change) {
    traffic_->write(change, true);
    change.hub().clean_shutdown = true;
    return Done{};
  };
  committer_.submit<Done>(std::move(apply), [](const Result<Done>&) {});
  committer_.stop();
  long_work_.stop();
  reclaiming_.stop();
  readers_.stop();
  if (committer_.writable()) database_->flush().PermitUncheckedError();
}

}  // namespace

Result<std::unique_ptr<Store>> open_rocksdb_store(RocksDbStoreOptions options) {
  auto opened = open_and_prepare(options);
  if (!opened) return opened.error();
  return std::unique_ptr<Store>{std::make_unique<RocksDbStore>(std::move(*opened), options)};
}

}  // namespace dumpster
