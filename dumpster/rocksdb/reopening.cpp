#include "dumpster/rocksdb/reopening.hpp"

#include <algorithm>

#include "dumpster/rocksdb/reading.hpp"
#include "dumpster/rocksdb/resubmission_records.hpp"
#include "dumpster/rocksdb/small_records.hpp"
#include "dumpster/rocksdb/spool_changes.hpp"

namespace dumpster::rocks {
namespace {

constexpr std::uintmax_t least_room = 64U * 1024 * 1024;
constexpr std::chrono::milliseconds longest_pause = std::chrono::seconds{30};

template <class Record>
Record read(const Database& database, const std::string& key,
            Result<Record> (*decode)(std::string_view payload)) {
  const auto stored = value_or_refuse(small_record(database, key));
  if (!stored) throw Refused{{Fault::damaged, "a record of the store is missing"}};
  return value_or_refuse(decode(*stored));
}

}  // namespace

std::chrono::milliseconds pause_before_opening(unsigned failed_tries) {
  if (failed_tries == 0) return {};
  const auto doubled =
      std::chrono::milliseconds{std::chrono::seconds{1}} * (1U << std::min(failed_tries - 1, 10U));
  return std::min(longest_pause, doubled);
}

bool room_for_opening(const Database& database) {
  std::error_code error;
  const auto space = std::filesystem::space(database.folder(), error);
  return error || space.available >= least_room;
}

Tables read_again(const Database& database, const Tables& before) {
  Tables tables = before;
  tables.hub = read(database, key::hub(), decode_hub);
  tables.hub.last_time = std::max(tables.hub.last_time, before.hub.last_time);
  for (auto& [name, cluster] : tables.clusters)
    cluster.record = read(database, key::cluster(name), decode_cluster);
  for (auto& [name, group] : tables.groups) {
    group.record = read(database, key::group(name), decode_group);
    group.evict_from = Instant::min();
    group.truncate_from = Instant::min();
    const auto ends = value_or_refuse(with_ends(database, group.record.number, {}));
    group.newest = ends.newest.value_or(Instant::min());
  }
  tables.resubmissions = value_or_refuse(count_resubmissions(database));
  tables.at_work = read_at_work(database, tables);
  return tables;
}

void take_back(Change& change, const std::vector<Uuid>& refused) {
  for (const auto& message : refused) {
    auto spool = open_spool(change, message);
    spool.record.entries.clear();
    close_spool(change, spool);
  }
  std::vector<Uuid> begun;
  const auto prefix = key::all_begun_bodies();
  change.walk(Family::state, prefix, key::behind(prefix), [&](std::string_view key, std::string_view) {
    begun.push_back(key::message_of_begun_body(key));
    return true;
  });
  for (const auto& message : begun)
    abandon_body(change, message);
}

}  // namespace dumpster::rocks
