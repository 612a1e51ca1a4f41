#include "dumpster/rocksdb/restoring.hpp"

#include "dumpster/rocksdb/resubmission_changes.hpp"
#include "dumpster/rocksdb/spool_changes.hpp"
#include "metrics/log.hpp"

namespace dumpster::rocks {
namespace {

std::vector<Uuid> resubmissions_under_way(const Change& change) {
  std::vector<Uuid> found;
  const auto prefix = key::all_resubmissions();
  change.walk(Family::resubmissions, prefix, key::behind(prefix),
              [&](std::string_view key, std::string_view payload) {
                const auto id = key::uuid_at(key, 1);
                const auto record = value_or_refuse(decode_resubmission(id, payload));
                if (record.state == ResubmissionState::running || record.state == ResubmissionState::paused)
                  found.push_back(id);
                return true;
              });
  return found;
}

std::size_t mark_spool(Change& change) {
  std::vector<Uuid> messages;
  change.walk(Family::spool, {}, {}, [&](std::string_view key, std::string_view) {
    messages.push_back(key::uuid_at(key, 0));
    return true;
  });
  for (const auto& message : messages) {
    auto spool = open_spool(change, message);
    for (auto& entry : spool.record.entries) {
      entry.from_backup = true;
      if (entry.in_doubt) {
        entry.in_doubt_since = change.clock();
      } else {
        entry.trying = true;
      }
    }
    close_spool(change, spool);
  }
  return messages.size();
}

}  // namespace

void restore(Change& change) {
  auto& hub = change.hub();
  hub.store_id = new_uuid(change.clock());
  hub.store_created = change.next_time();
  hub.clean_shutdown = false;
  std::vector<StorageGroup> groups;
  for (const auto& [name, group] : change.tables().groups)
    groups.push_back(name);
  for (const auto& name : groups) {
    auto& record = change.edit_group(name).record;
    record.created = hub.store_created;
    record.covered_from = hub.store_created;
    record.replicated.clear();
  }
  const auto cancelled = resubmissions_under_way(change);
  for (const auto& id : cancelled)
    cancel(change, id);
  const auto marked = mark_spool(change);
  metrics::log_warning("store_restored", {{"store_id", to_string(hub.store_id)},
                                          {"covered_from", to_rfc3339(hub.store_created)},
                                          {"spooled_messages", marked},
                                          {"resubmissions_cancelled", cancelled.size()}});
}

}  // namespace dumpster::rocks
