#include "dumpster/rocksdb/migration.hpp"

#include "dumpster/records.hpp"
#include "dumpster/rocksdb/small_records.hpp"
#include "metrics/log.hpp"

namespace dumpster::rocks {
namespace {

/// Format 2: a group's record ends with what nodes have reported as replicated, and each small record has a
/// second copy.
Result<void> rewrite_small_records(Database& database, std::uint64_t from, rocksdb::WriteBatch& batch) {
  std::optional<Error> damage;
  const auto on_damage = [&](const DamagedRange&) {
    damage = Error{Fault::damaged, "a record of the store is damaged, so it is left in its old format"};
  };
  const auto clusters = key::all_clusters();
  auto walked = database.walk(
      Family::state, clusters, key::behind(clusters),
      [&](std::string_view key, std::string_view payload) {
        put_small_record(database, batch, std::string{key}, payload);
        return true;
      },
      on_damage);
  if (!walked) return walked.error();
  const auto groups = key::all_groups();
  walked = database.walk(
      Family::state, groups, key::behind(groups),
      [&](std::string_view key, std::string_view payload) {
        const auto record = decode_group_of(from, payload);
        if (!record) damage = record.error();
        if (record) put_small_record(database, batch, std::string{key}, encode(*record));
        return record.has_value();
      },
      on_damage);
  if (!walked) return walked.error();
  if (damage) return *damage;
  return {};
}

}  // namespace

Result<void> migrate(Database& database, const Folder& folder, FolderState state) {
  const auto stored = small_record(database, key::hub());
  if (!stored) return stored.error();
  if (!*stored) return {};  // the very first start was interrupted
  auto hub = decode_hub(**stored);
  if (!hub) return hub.error();
  const auto from = hub->format;
  if (from == format_version) return {};
  rocksdb::WriteBatch batch;
  const auto rewritten = rewrite_small_records(database, from, batch);
  if (!rewritten) return rewritten.error();
  const auto raised = raise_format(folder, state);
  if (!raised) return raised.error();
  hub->format = format_version;
  hub->sequence += 1;
  put_small_record(database, batch, key::hub(), encode(*hub));
  const auto status = database.write(batch, true);
  if (!status.ok()) return error_from(status, "bringing the store to its new format");
  metrics::log_info("store_migrated", {{"from_format", from}, {"to_format", format_version}});
  return {};
}

}  // namespace dumpster::rocks
