#include "dumpster/rocksdb/reading.hpp"

#include <algorithm>

#include "dumpster/records.hpp"
#include "dumpster/rocksdb/lines.hpp"

namespace dumpster::rocks {
namespace {

constexpr std::size_t most_at_once = 10'000;

Error missing(const char* what) {
  return {Fault::not_found, std::string{what} + " is not there"};
}

Result<SpooledMessage> spooled_message(const Database& database, const Uuid& key,
                                       std::string_view spool_payload) {
  const auto record = decode_spool(spool_payload);
  if (!record) return record.error();
  const auto stored = database.get(Family::messages, key::message(key));
  if (!stored) return stored.error();
  if (!*stored) return Error{Fault::damaged, "the message " + to_string(key) + " has lost its record"};
  auto message = decode_message(key, **stored);
  if (!message) return message.error();
  return SpooledMessage{std::move(*message), record->attempts, record->entries};
}

Result<void> fill_not_found(const Database& database, Resubmission& record) {
  const auto stored = database.get(Family::resubmissions, key::not_found(record.id));
  if (!stored) return stored.error();
  if (!*stored) return {};
  auto ids = decode_ids(**stored);
  if (!ids) return ids.error();
  record.not_found = std::move(*ids);
  return {};
}

Result<std::vector<Uuid>> spool_keys(const Database& database, const std::optional<Uuid>& after,
                                     std::size_t limit) {
  // The smallest key behind another one is that one with a zero byte.
  const auto from = after ? key::message(*after) + '\0' : std::string{};
  std::vector<Uuid> keys;
  const auto visit = [&](std::string_view key, std::string_view) {
    keys.push_back(key::uuid_at(key, 0));
    return keys.size() < limit;
  };
  const auto walked = database.walk(Family::spool, from, {}, visit);
  if (!walked) return walked.error();
  return keys;
}

/// The first time of a line that is not hidden by the damage.
Instant behind(const DamagedRange& range, Instant otherwise) {
  if (!range.until) return otherwise;
  const auto time = key::delivered_at(*range.until);
  // A key that is longer than those of lines stands for what comes right behind one.
  return range.until->size() > key::line(0, time).size() ? time + Duration{1} : time;
}

/// Nothing when a line was moved between the look at the ids and the look at the lines.
Result<std::optional<std::vector<Delivery>>> find_once(const Database& database, std::uint32_t group_number,
                                                       const Uuid& delivery_id, const std::set<Uuid>& ended) {
  const auto prefix = key::ids_of(group_number, delivery_id);
  std::vector<Instant> times;
  const auto walked =
      database.walk(Family::ids, prefix, key::behind(prefix), [&](std::string_view key, std::string_view) {
        times.push_back(key::delivered_at_of_id(key));
        return true;
      });
  if (!walked) return walked.error();
  std::vector<Delivery> found;
  for (const auto time : times) {
    const auto stored = database.get(Family::lines, key::line(group_number, time));
    if (!stored) return stored.error();
    if (!*stored) return std::optional<std::vector<Delivery>>{};
    auto line = decode_line(time, **stored);
    if (!line) return line.error();
    undo_ended(ended, *line);
    found.push_back(std::move(line->line));
  }
  return std::optional{std::move(found)};
}

}  // namespace

Result<std::string> read_chunk(const Database& database, const Uuid& message, std::uint32_t chunk) {
  auto stored = database.get(Family::bodies, key::chunk(message, chunk));
  if (!stored) return stored.error();
  if (!*stored) return missing("the body of the message");
  return std::move(**stored);
}

Result<std::optional<SpooledMessage>> load(const Database& database, const Uuid& message) {
  const auto stored = database.get(Family::spool, key::message(message));
  if (!stored) return stored.error();
  if (!*stored) return std::optional<SpooledMessage>{};
  auto spooled = spooled_message(database, message, **stored);
  if (spooled) return std::optional<SpooledMessage>{std::move(*spooled)};
  // Settled between the two looks, the message may be gone with its last reference.
  const auto again = database.exists(Family::spool, key::message(message));
  if (again && !*again) return std::optional<SpooledMessage>{};
  return spooled.error();
}

Result<std::vector<SpooledMessage>> scan_spool(const Database& database, const std::optional<Uuid>& after,
                                               std::size_t limit) {
  std::vector<SpooledMessage> found;
  auto last = after;
  // A page is only short at the end of the spool; what is settled while it is read makes room for more.
  while (found.size() < limit) {
    const auto keys = spool_keys(database, last, limit - found.size());
    if (!keys) return keys.error();
    if (keys->empty()) break;
    for (const auto& key : *keys) {
      auto loaded = load(database, key);
      if (!loaded && loaded.error().fault == Fault::damaged) continue;
      if (!loaded) return loaded.error();
      if (*loaded) found.push_back(std::move(**loaded));
    }
    last = keys->back();
  }
  return found;
}

Result<std::optional<Instant>> oldest_spooled(const Database& database) {
  std::optional<Instant> oldest;
  const auto walked = database.walk(Family::spool, {}, {}, [&](std::string_view key, std::string_view) {
    std::uint64_t milliseconds = 0;
    const auto uuid = key::uuid_at(key, 0);
    for (std::size_t i = 0; i < 6; ++i)
      milliseconds = (milliseconds << 8U) | uuid.bytes.at(i);
    oldest = Instant{std::chrono::milliseconds{milliseconds}};
    return false;
  });
  if (!walked) return walked.error();
  return oldest;
}

Result<DeliveryPage> list(const Database& database, std::uint32_t group_number, const DeliveryQuery& query,
                          const std::set<Uuid>& ended) {
  const auto limit = std::clamp<std::size_t>(query.limit, 1, most_at_once);
  DeliveryPage page;
  if (query.until <= query.from) return page;
  std::size_t looked_at = 0;
  std::optional<Error> damage;
  const auto from = key::line(group_number, query.from);
  const auto until = key::line(group_number, query.until);
  const auto on_damage = [&](const DamagedRange& range) { page.damaged_until = behind(range, query.until); };
  const auto visit = [&](std::string_view key, std::string_view payload) {
    const auto time = key::delivered_at(key);
    if (looked_at++ == limit) {
      page.continue_from = time;
      return false;
    }
    auto line = decode_line(time, payload);
    if (!line) {
      damage = line.error();
      return false;
    }
    undo_ended(ended, *line);
    if (!query.state || *query.state == line->line.state) page.deliveries.push_back(std::move(line->line));
    return true;
  };
  const auto walked = database.walk(Family::lines, from, until, visit, on_damage);
  if (!walked) return walked.error();
  if (damage) return *damage;
  return page;
}

Result<std::vector<Delivery>> find(const Database& database, std::uint32_t group_number,
                                   const Uuid& delivery_id, const std::set<Uuid>& ended) {
  constexpr int most_looks = 10;
  for (int look = 0; look < most_looks; ++look) {
    auto found = find_once(database, group_number, delivery_id, ended);
    if (!found) return found.error();
    if (!*found) continue;
    if ((*found)->empty()) return missing("the delivery");
    return std::move(**found);
  }
  return Error{Fault::damaged, "an id of the dumpster names a delivery that is not there"};
}

Result<StorageGroupState> with_ends(const Database& database, std::uint32_t group_number,
                                    StorageGroupState state) {
  const auto from = key::line(group_number, Instant::min());
  const auto until = key::line(group_number + 1, Instant::min());
  const auto first = database.walk(Family::lines, from, until, [&](std::string_view key, std::string_view) {
    state.oldest = key::delivered_at(key);
    return false;
  });
  if (!first) return first.error();
  const auto last =
      database.walk_backwards(Family::lines, from, until, [&](std::string_view key, std::string_view) {
        state.newest = key::delivered_at(key);
        return false;
      });
  if (!last) return last.error();
  return state;
}

Result<Resubmission> read_resubmission(const Database& database, const Uuid& id) {
  const auto stored = database.get(Family::resubmissions, key::resubmission(id));
  if (!stored) return stored.error();
  if (!*stored) return missing("the resubmission");
  auto record = decode_resubmission(id, **stored);
  if (!record) return record.error();
  const auto filled = fill_not_found(database, *record);
  if (!filled) return filled.error();
  return record;
}

Result<std::vector<Resubmission>> read_resubmissions(const Database& database, std::size_t limit) {
  limit = std::min(limit, most_at_once);
  std::vector<Resubmission> found;
  if (limit == 0) return found;
  std::optional<Error> damage;
  const auto prefix = key::all_resubmissions();
  const auto walked = database.walk_backwards(Family::resubmissions, prefix, key::behind(prefix),
                                              [&](std::string_view key, std::string_view payload) {
                                                auto record =
                                                    decode_resubmission(key::uuid_at(key, 1), payload);
                                                if (!record) {
                                                  damage = record.error();
                                                  return false;
                                                }
                                                found.push_back(std::move(*record));
                                                return found.size() < limit;
                                              });
  if (!walked) return walked.error();
  if (damage) return *damage;
  for (auto& record : found) {
    const auto filled = fill_not_found(database, record);
    if (!filled) return filled.error();
  }
  return found;
}

Result<std::map<ResubmissionState, std::uint64_t>> count_resubmissions(const Database& database) {
  std::map<ResubmissionState, std::uint64_t> counts;
  std::optional<Error> damage;
  const auto prefix = key::all_resubmissions();
  const auto walked = database.walk(Family::resubmissions, prefix, key::behind(prefix),
                                    [&](std::string_view key, std::string_view payload) {
                                      const auto record = decode_resubmission(key::uuid_at(key, 1), payload);
                                      if (!record) {
                                        damage = record.error();
                                        return false;
                                      }
                                      counts[record->state] += 1;
                                      return true;
                                    });
  if (!walked) return walked.error();
  if (damage) return *damage;
  return counts;
}

}  // namespace dumpster::rocks
