#include "dumpster/rocksdb/writing.hpp"

#include "dumpster/codec.hpp"
#include "dumpster/rocksdb/small_records.hpp"

namespace dumpster::rocks {
namespace {

/// Bytes, roughly: a batch that grows on its way is copied each time.
std::size_t size_of(const Batch& batch) {
  constexpr std::size_t small_records = 4096;
  constexpr std::size_t record_head = 16;
  auto size = small_records + batch.history.size();
  for (const auto& records : batch.overlay) {
    for (const auto& [key, value] : records)
      size += record_head + key.size() + (value ? value->size() : 0);
  }
  return size;
}

}  // namespace

rocksdb::Status write(Database& database, Tables& tables, const Batch& batch, bool synced) {
  tables.hub.sequence += 1;
  rocksdb::WriteBatch writing{size_of(batch)};
  const auto put = [&](const std::string& key, const std::string& payload) {
    put_small_record(database, writing, key, payload);
  };
  put(key::hub(), encode(tables.hub));
  if (!batch.history.empty()) {
    const auto key = key::history(tables.hub.sequence);
    database.put(writing, Family::history, key, seal(key, batch.history));
  }
  for (const auto& name : batch.dirty_clusters)
    put(key::cluster(name), encode(tables.clusters.at(name).record));
  for (const auto& name : batch.dirty_groups)
    put(key::group(name), encode(tables.groups.at(name).record));
  for (std::size_t family = 0; family < family_count; ++family) {
    for (const auto& [key, value] : batch.overlay[family]) {
      if (value) {
        database.put(writing, static_cast<Family>(family), key, *value);
      } else {
        database.erase(writing, static_cast<Family>(family), key);
      }
    }
  }
  return database.write(writing, synced);
}

}  // namespace dumpster::rocks
