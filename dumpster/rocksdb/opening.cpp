#include "dumpster/rocksdb/opening.hpp"

#include <algorithm>

#include "dumpster/codec.hpp"
#include "dumpster/rocksdb/folder.hpp"
#include "dumpster/rocksdb/migration.hpp"
#include "dumpster/rocksdb/reading.hpp"
#include "dumpster/rocksdb/restoring.hpp"
#include "dumpster/rocksdb/resubmission_records.hpp"
#include "dumpster/rocksdb/small_records.hpp"
#include "dumpster/rocksdb/writing.hpp"
#include "metrics/log.hpp"

namespace dumpster::rocks {
namespace {

/// The steps between an opened database and a store that is ready. Errors travel as `Refused` to
/// `open_and_prepare`.
class Preparing {
 public:
  Preparing(Database& database, const RocksDbStoreOptions& options)
      : database_(database), options_(options), now_(options.clock->now()) {}

  void make_hub();
  void read_hub();
  void read_clusters();
  void leave_others();
  void read_resubmissions();
  void remove_begun_bodies();
  void begin_run();

  std::unique_ptr<TrafficBook> take_traffic() { return std::move(traffic_); }
  Tables take_tables() { return std::move(tables_); }
  bool clean_shutdown() const { return clean_shutdown_; }

 private:
  void put(const std::string& key, const std::string& payload) {
    put_small_record(database_, batch_, key, payload);
  }
  void read_cluster(const ClusterDefinition& definition);
  void read_group(const StorageGroup& name, const RetentionLimits& limits);

  Database& database_;
  const RocksDbStoreOptions& options_;
  const Instant now_;
  Tables tables_;
  std::unique_ptr<TrafficBook> traffic_ = std::make_unique<TrafficBook>();
  bool clean_shutdown_ = true;
  bool first_run_ = false;
  rocksdb::WriteBatch batch_;
};

void Preparing::make_hub() {
  auto& hub = tables_.hub;
  hub.store_id = new_uuid(now_);
  hub.store_created = now_;
  hub.last_time = now_;
  first_run_ = true;
}

void Preparing::read_hub() {
  const auto stored = value_or_refuse(small_record(database_, key::hub()));
  if (!stored) return make_hub();  // the very first start was interrupted
  tables_.hub = value_or_refuse(decode_hub(*stored));
  clean_shutdown_ = tables_.hub.clean_shutdown;
}

void Preparing::read_clusters() {
  for (const auto& definition : options_.clusters) {
    read_cluster(definition);
    for (const auto& group : definition.storage_groups)
      read_group({definition.name, group.name}, group.limits);
  }
}

/// What is not configured is retained by nobody. Configured again, it covers from then on.
void Preparing::leave_others() {
  const auto prefix = key::all_groups();
  value_or_refuse(database_.walk(
      Family::state, prefix, key::behind(prefix), [&](std::string_view key, std::string_view payload) {
        const auto name = key::group_of(key);
        if (tables_.groups.contains(name)) return true;
        auto record = value_or_refuse(decode_group(payload));
        if (record.messages > 0) {
          metrics::log_warning("storage group not configured", {{"cluster", name.cluster},
                                                                {"storage_group", name.group},
                                                                {"retained", record.messages},
                                                                {"bytes", record.bytes}});
        }
        if (!record.retention_off) {
          record.retention_off = true;
          put(std::string{key}, encode(record));
        }
        return true;
      }));
}

void Preparing::read_cluster(const ClusterDefinition& definition) {
  ClusterEntry entry;
  entry.definition = definition;
  const auto key = key::cluster(definition.name);
  if (const auto stored = value_or_refuse(small_record(database_, key))) {
    entry.record = value_or_refuse(decode_cluster(*stored));
    put(key, encode(entry.record));  // heals a copy that was damaged
  } else {
    entry.record.active = definition.first_active;
    entry.record.activated_at = now_;
    put(key, encode(entry.record));
  }
  const auto& nodes = definition.nodes;
  if (std::find(nodes.begin(), nodes.end(), entry.record.active) == nodes.end()) {
    metrics::log_warning("active_node_not_configured",
                         {{"cluster", definition.name}, {"node", entry.record.active}});
  }
  tables_.clusters.emplace(definition.name, std::move(entry));
}

void Preparing::read_group(const StorageGroup& name, const RetentionLimits& limits) {
  GroupEntry entry;
  entry.name = name;
  entry.limits = limits;
  const auto key = key::group(name);
  if (const auto stored = value_or_refuse(small_record(database_, key))) {
    entry.record = value_or_refuse(decode_group(*stored));
  } else {
    entry.record.number = ++tables_.hub.last_group;
    entry.record.created = first_run_ ? tables_.hub.store_created : now_;
    entry.record.covered_from = entry.record.created;
  }
  // While retention was off nothing was kept.
  if (entry.record.retention_off) entry.record.covered_from = std::max(entry.record.covered_from, now_);
  entry.record.retention_off = limits.off();
  put(key, encode(entry.record));
  const auto ends = value_or_refuse(with_ends(database_, entry.record.number, {}));
  if (ends.newest) entry.newest = *ends.newest;
  tables_.groups.emplace(name, std::move(entry));
  const auto stored_traffic = database_.get(Family::state, key::traffic(name));
  // A statistic that cannot be read is no reason to refuse mail.
  auto traffic =
      stored_traffic && *stored_traffic ? decode_traffic(**stored_traffic) : Result<Traffic>{Traffic{now_}};
  traffic_->put(name, traffic ? std::move(*traffic) : Traffic{now_});
}

void Preparing::read_resubmissions() {
  tables_.resubmissions = value_or_refuse(count_resubmissions(database_));
  tables_.at_work = read_at_work(database_, tables_);
}

void Preparing::remove_begun_bodies() {
  std::vector<Uuid> begun;
  const auto prefix = key::all_begun_bodies();
  value_or_refuse(database_.walk(Family::state, prefix, key::behind(prefix), [&](std::string_view key, auto) {
    begun.push_back(key::message_of_begun_body(key));
    return true;
  }));
  for (const auto& message : begun) {
    const auto body = key::message(message);
    value_or_refuse(database_.walk(Family::bodies, body, key::behind(body), [&](std::string_view key, auto) {
      database_.erase(batch_, Family::bodies, key);
      return true;
    }));
    database_.erase(batch_, Family::state, key::begun_body(message));
  }
}

void Preparing::begin_run() {
  tables_.hub.clean_shutdown = false;
  tables_.hub.sequence += 1;
  put(key::hub(), encode(tables_.hub));
  const auto status = database_.write(batch_, true);
  if (!status.ok()) throw Refused{error_from(status, "beginning a run of the store")};
}

/// What a backup holds becomes the beginning of a new store.
void restore_in(Database& database, Tables& tables, Instant now) {
  Batch batch;
  {
    Change change{database, tables, batch, now};
    restore(change);
    change.join();
  }
  const auto status = write(database, tables, batch, true);
  if (!status.ok()) throw Refused{error_from(status, "restoring a backup")};
}

Opened prepare(std::unique_ptr<Database> database, const RocksDbStoreOptions& options, FolderState state) {
  const Folder folder{options.path};
  value_or_refuse(migrate(*database, folder, state));
  Preparing preparing{*database, options};
  preparing.read_hub();
  preparing.read_clusters();
  preparing.leave_others();
  preparing.read_resubmissions();
  preparing.remove_begun_bodies();
  preparing.begin_run();
  auto tables = preparing.take_tables();
  const bool restoring = state == FolderState::backup;
  if (restoring) restore_in(*database, tables, options.clock->now());
  if (state != FolderState::complete) value_or_refuse(finish_creation(folder));
  return {std::move(database), std::move(tables), preparing.take_traffic(),
          preparing.clean_shutdown() && !restoring};
}

}  // namespace

Result<Opened> open_and_prepare(const RocksDbStoreOptions& options) {
  const Folder folder{options.path};
  const auto state = inspect(folder);
  if (!state) return state.error();
  const bool fresh = *state == FolderState::fresh;
  if (fresh) {
    const auto begun = begin_creation(folder);
    if (!begun) return begun.error();
  }
  auto database = Database::open(folder.database(), fresh ? Database::Mode::create : Database::Mode::open);
  if (!database) return database.error();
  std::error_code ignored;
  std::filesystem::remove_all(folder.backing_up(), ignored);  // of a backup that was interrupted
  try {
    return prepare(std::move(*database), options, *state);
  } catch (const Refused& refused) {
    return refused.error();
  }
}

}  // namespace dumpster::rocks
