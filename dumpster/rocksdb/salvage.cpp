#include "dumpster/rocksdb/salvage.hpp"

#include <rocksdb/write_batch.h>

#include <algorithm>
#include <map>
#include <set>
#include <unordered_map>

#include "dumpster/codec.hpp"
#include "dumpster/records.hpp"
#include "dumpster/rocksdb/change.hpp"
#include "dumpster/rocksdb/lines.hpp"
#include "dumpster/rocksdb/small_records.hpp"

namespace dumpster::rocks {
namespace {

constexpr std::size_t most_in_a_batch = 1000;

/// One salvage, family by family: what comes later is judged by what is there already.
class Salvaging {
 public:
  Salvaging(const Database& old, Database& fresh) : old_(old), fresh_(fresh) {}

  Repaired run();

 private:
  /// A line that waits for something, until the entry that it waits with has been found.
  using Place = std::pair<std::uint32_t, Instant>;

  void copy_messages();
  void copy_bodies();
  void read_small();
  void copy_lines();
  void copy_spool();
  void restore_entries();
  void copy_resubmissions();
  void copy_history();
  void spool_again(const Uuid& message);
  void settle_references();
  void write_small();

  bool has_body(const Uuid& message);
  void save_line(std::uint32_t number, const LineRecord& line);
  bool keep_entry(const Uuid& message, SpoolEntry& entry);
  void save_spool(const Uuid& message, const SpoolRecord& record);

  template <class Visit>
  void walk(Family family, const std::string& prefix, Visit visit);
  void put(Family family, const std::string& key, std::string_view payload);
  void flush();
  static void check(const rocksdb::Status& status) {
    if (!status.ok()) throw Refused{error_from(status, "writing the repaired store")};
  }

  const Database& old_;
  Database& fresh_;
  Repaired repaired_;
  rocksdb::WriteBatch batch_;
  HubRecord hub_;
  std::map<StorageGroup, GroupRecord> groups_;
  std::map<std::uint32_t, StorageGroup> names_;
  std::map<std::string, std::string> clusters_;  ///< key and payload
  std::unordered_map<Uuid, std::uint32_t> references_;
  bool spool_damaged_ = false;
  std::map<Place, LineRecord> in_doubt_;  ///< lines in doubt that no spool entry has been found for
};

template <class Visit>
void Salvaging::walk(Family family, const std::string& prefix, Visit visit) {
  const auto until = prefix.empty() ? std::string{} : key::behind(prefix);
  const auto visit_each = [&](std::string_view key, std::string_view payload) {
    visit(key, payload);
    return true;
  };
  bool damaged = false;
  const auto walked =
      old_.walk(family, prefix, until, visit_each, [&](const DamagedRange&) { damaged = true; });
  if (family == Family::spool) spool_damaged_ = damaged || !walked;
  // A file that is not there is damage as well; the rest of the family is lost with it.
  if (!walked) ++repaired_.damaged_places;
  flush();
}

void Salvaging::put(Family family, const std::string& key, std::string_view payload) {
  fresh_.put(batch_, family, key, seal(key, payload));
  if (static_cast<std::size_t>(batch_.Count()) >= most_in_a_batch) flush();
}

void Salvaging::flush() {
  check(fresh_.write(batch_, false));
  batch_.Clear();
}

void Salvaging::copy_messages() {
  walk(Family::messages, {}, [this](std::string_view key, std::string_view payload) {
    if (key::is_references(key) || !decode_message(key::uuid_at(key, 0), payload)) return;
    put(Family::messages, std::string{key}, payload);
    references_.emplace(key::uuid_at(key, 0), 0);
  });
}

void Salvaging::copy_bodies() {
  walk(Family::bodies, {}, [this](std::string_view key, std::string_view payload) {
    if (references_.contains(key::uuid_at(key, 0))) put(Family::bodies, std::string{key}, payload);
  });
}

void Salvaging::read_small() {
  const auto stored = small_record(old_, key::hub());
  const auto hub = stored && *stored ? decode_hub(**stored) : Result<HubRecord>{Error{}};
  if (hub) hub_ = *hub;
  const auto format = hub_.format;
  hub_.format = format_version;
  hub_.spool_messages = 0;
  hub_.spool_bytes = 0;
  const auto take = [&](std::string_view key, std::string_view payload) {
    if (key.starts_with('c') && decode_cluster(payload)) clusters_.emplace(key, payload);
    if (!key.starts_with('g')) return;
    auto record = decode_group_of(format, payload);
    if (!record) return;
    const auto name = key::group_of(key);
    hub_.last_group = std::max(hub_.last_group, record->number);
    names_.emplace(record->number, name);
    record->messages = record->bytes = record->in_doubt = 0;
    groups_.emplace(name, std::move(*record));
  };
  // The second copies fill in what is missing among the first.
  walk(Family::state, {}, take);
  const auto copies = key::second_copy({});
  walk(Family::resubmissions, copies,
       [&](std::string_view key, std::string_view payload) { take(key.substr(copies.size()), payload); });
}

bool Salvaging::has_body(const Uuid& message) {
  const auto stored = fresh_.get(Family::messages, key::message(message));
  if (!stored || !*stored) return false;
  const auto record = decode_message(message, **stored);
  for (std::uint32_t chunk = 0; record && chunk < record->chunks; ++chunk) {
    const auto there = fresh_.exists(Family::bodies, key::chunk(message, chunk));
    if (!there || !*there) return false;
  }
  return record.has_value();
}

void Salvaging::copy_lines() {
  walk(Family::lines, {}, [this](std::string_view key, std::string_view payload) {
    const auto number = key::group_number(key);
    auto line = decode_line(key::delivered_at(key), payload);
    if (!line || !names_.contains(number) || !has_body(line->line.message)) {
      ++repaired_.lost_lines;
      return;
    }
    // Nothing is resubmitted any more: as if each request had been cancelled.
    if (line->line.state == DeliveryState::resubmitting) {
      if (line->line.ever_delivered) {
        revert_to_delivered(*line);
      } else {
        line->line.state = DeliveryState::in_doubt;
        line->line.resubmission = {};
      }
    }
    save_line(number, *line);
    if (line->line.state == DeliveryState::in_doubt)
      in_doubt_.emplace(Place{number, line->line.delivered_at}, std::move(*line));
  });
}

void Salvaging::save_line(std::uint32_t number, const LineRecord& record) {
  const auto& line = record.line;
  put(Family::lines, key::line(number, line.delivered_at), encode(record));
  put(Family::ids, key::id(number, line.delivery_id, line.delivered_at), {});
  auto& group = groups_.at(names_.at(number));
  group.messages += 1;
  group.bytes += line.size;
  if (line.state == DeliveryState::in_doubt) group.in_doubt += line.recipients.size();
  hub_.last_time = std::max(hub_.last_time, line.delivered_at);
  references_[line.message] += 1;
  ++repaired_.lines;
}

/// Makes the entry agree with its line; false when there is nothing left to be done for it.
bool Salvaging::keep_entry(const Uuid& message, SpoolEntry& entry) {
  if (!entry.group) return true;
  const auto group = groups_.find(*entry.group);
  const auto place =
      group == groups_.end() ? in_doubt_.end() : in_doubt_.find({group->second.number, entry.line});
  const bool stands = place != in_doubt_.end() && place->second.line.message == message &&
                      indices_of(place->second.line).contains(entry.index);
  if (stands) {
    entry.in_doubt = true;
    entry.resubmission = {};
    entry.resubmit_until = {};
    auto& waiting = place->second.line.recipients;
    std::erase_if(waiting, [&](const auto& recipient) { return recipient.index == entry.index; });
    return true;
  }
  // Delivered once, it needs no second time; otherwise it begins anew.
  if (entry.ever_delivered) return false;
  SpoolEntry anew;
  anew.index = entry.index;
  anew.attempts = entry.attempts;
  anew.last_reply = entry.last_reply;
  anew.held = entry.held;
  entry = std::move(anew);
  return true;
}

void Salvaging::copy_spool() {
  walk(Family::spool, {}, [this](std::string_view key, std::string_view payload) {
    const auto message = key::uuid_at(key, 0);
    auto record = decode_spool(payload);
    if (!record || !references_.contains(message)) {
      ++repaired_.lost_messages;
      return;
    }
    std::vector<SpoolEntry> kept;
    for (auto& entry : record->entries) {
      if (keep_entry(message, entry)) kept.push_back(std::move(entry));
    }
    record->entries = std::move(kept);
    if (!record->entries.empty()) save_spool(message, *record);
  });
}

void Salvaging::save_spool(const Uuid& message, const SpoolRecord& record) {
  put(Family::spool, key::message(message), encode(record));
  hub_.spool_messages += 1;
  hub_.spool_bytes += record.size;
  references_[message] += 1;
  ++repaired_.spooled;
}

/// A line in doubt names its recipients: an entry that was lost can be made again.
void Salvaging::restore_entries() {
  for (const auto& [place, line] : in_doubt_) {
    if (line.line.recipients.empty()) continue;
    const auto stored = value_or_refuse(fresh_.get(Family::spool, key::message(line.line.message)));
    SpoolRecord record;
    if (stored) record = value_or_refuse(decode_spool(*stored));
    record.attempts = std::max(record.attempts, line.line.attempt);
    record.size = line.line.size;
    for (const auto& recipient : line.line.recipients) {
      SpoolEntry entry;
      entry.index = recipient.index;
      entry.attempts = 1;
      entry.group = names_.at(place.first);
      entry.mailbox = recipient.mailbox;
      entry.line = place.second;
      entry.in_doubt = true;
      entry.ever_delivered = line.line.ever_delivered;
      record.entries.push_back(std::move(entry));
    }
    if (stored) {
      put(Family::spool, key::message(line.line.message), encode(record));
    } else {
      save_spool(line.line.message, record);
    }
    flush();  // the next line may be of the same message
  }
}

void Salvaging::copy_resubmissions() {
  walk(Family::resubmissions, key::all_resubmissions(),
       [this](std::string_view key, std::string_view payload) {
         const auto id = key::uuid_at(key, 1);
         auto record = decode_resubmission(id, payload);
         if (!record) return;
         if (record->state != ResubmissionState::completed && record->state != ResubmissionState::cancelled) {
           record->state = ResubmissionState::cancelled;
           record->cancelled =
               record->matched - std::min(record->matched, record->delivered + record->failed);
         }
         put(Family::resubmissions, std::string{key}, encode(*record));
         for (const auto& other : {key::not_found(id), key::resubmission_key(record->group, record->key)}) {
           const auto stored = old_.get(Family::resubmissions, other);
           if (stored && *stored) put(Family::resubmissions, other, **stored);
         }
       });
}

void Salvaging::copy_history() {
  walk(Family::history, {}, [this](std::string_view key, std::string_view payload) {
    put(Family::history, std::string{key}, payload);
  });
}

/// For all its recipients: who was left cannot be told.
void Salvaging::spool_again(const Uuid& message) {
  const auto stored = value_or_refuse(fresh_.get(Family::messages, key::message(message)));
  if (!stored) return;
  const auto record = value_or_refuse(decode_message(message, *stored));
  SpoolRecord spool;
  spool.size = record.size;
  for (std::uint32_t i = 0; i < record.envelope.recipients.size(); ++i) {
    SpoolEntry entry;
    entry.index = i;
    spool.entries.push_back(std::move(entry));
  }
  save_spool(message, spool);
}

void Salvaging::settle_references() {
  // What nothing refers to was waiting, unless all that waits could be read.
  if (spool_damaged_) {
    for (const auto& [message, count] : references_) {
      if (count == 0) spool_again(message);
    }
  }
  for (const auto& [message, count] : references_) {
    if (count == 1) continue;
    if (count > 1) {
      Encoder number;
      number.number(count);
      put(Family::messages, key::references(message), number.take());
      continue;
    }
    const auto prefix = key::message(message);
    const auto walked =
        fresh_.walk(Family::bodies, prefix, key::behind(prefix), [&](std::string_view key, std::string_view) {
          fresh_.erase(batch_, Family::bodies, key);
          return true;
        });
    value_or_refuse(walked);
    fresh_.erase(batch_, Family::messages, prefix);
  }
  flush();
  repaired_.messages = static_cast<std::uint64_t>(std::count_if(
      references_.begin(), references_.end(), [](const auto& counted) { return counted.second > 0; }));
}

void Salvaging::write_small() {
  if (hub_.store_id.is_nil()) hub_.store_id = new_uuid(hub_.last_time);
  hub_.clean_shutdown = false;
  for (const auto& [key, payload] : clusters_)
    put_small_record(fresh_, batch_, key, payload);
  for (const auto& [name, record] : groups_)
    put_small_record(fresh_, batch_, key::group(name), encode(record));
  put_small_record(fresh_, batch_, key::hub(), encode(hub_));
  check(fresh_.write(batch_, true));
}

Repaired Salvaging::run() {
  copy_messages();
  copy_bodies();
  read_small();
  copy_lines();
  copy_spool();
  restore_entries();
  copy_resubmissions();
  copy_history();
  settle_references();
  write_small();
  repaired_.damaged_places += old_.damage().count();
  return repaired_;
}

}  // namespace

Result<Repaired> salvage(const Database& old, Database& fresh) {
  try {
    return Salvaging{old, fresh}.run();
  } catch (const Refused& refused) {
    return refused.error();
  }
}

}  // namespace dumpster::rocks
