#include "dumpster/verify.hpp"

#include <algorithm>
#include <chrono>
#include <deque>
#include <map>
#include <set>
#include <thread>
#include <tuple>

#include "dumpster/codec.hpp"
#include "dumpster/records.hpp"
#include "dumpster/rocksdb/backup.hpp"
#include "dumpster/rocksdb/change.hpp"
#include "dumpster/rocksdb/database.hpp"
#include "dumpster/rocksdb/folder.hpp"
#include "dumpster/rocksdb/lines.hpp"
#include "dumpster/rocksdb/options.hpp"
#include "dumpster/rocksdb/small_records.hpp"
#include "dumpster/rocksdb/verifying.hpp"

namespace dumpster {
namespace {

using namespace rocks;

constexpr std::size_t most_faults = 1000;

struct MessageFacts {
  std::uint32_t chunks = 0;
  std::uint32_t chunks_found = 0;
  std::uint32_t counted = 1;  ///< references as the record of them says
  std::uint32_t references = 0;
  bool known = false;
};

/// What is found out about each message. Ten million of them have to fit beside a hub: those that have a
/// record come in their order and take 40 bytes each.
class MessageTable {
 public:
  /// While records are read, in their order.
  MessageFacts& next(const Uuid& message) {
    if (ordered_.empty() || ordered_.back().first != message) ordered_.emplace_back(message, MessageFacts{});
    return ordered_.back().second;
  }
  MessageFacts& operator[](const Uuid& message) {
    const auto found = std::lower_bound(ordered_.begin(), ordered_.end(), message,
                                        [](const auto& entry, const Uuid& key) { return entry.first < key; });
    return found != ordered_.end() && found->first == message ? found->second : strangers_[message];
  }
  template <class Look>
  void for_each(Look look) const {
    for (const auto& [message, facts] : ordered_)
      look(message, facts);
    for (const auto& [message, facts] : strangers_)
      look(message, facts);
  }

 private:
  std::deque<std::pair<Uuid, MessageFacts>> ordered_;
  std::map<Uuid, MessageFacts> strangers_;  ///< named by others, without a record
};

class Verifying {
 public:
  /// Beside work that goes on it rests as long as it reads.
  Verifying(const Database& database, const std::atomic<bool>& cancelled, bool beside_work)
      : database_(database), cancelled_(cancelled), beside_work_(beside_work) {}

  Verification run();

 private:
  struct GroupFacts {
    std::uint64_t lines = 0;
    std::uint64_t bytes = 0;
    std::uint64_t in_doubt = 0;
  };

  void fault(const std::string& sentence) {
    if (found_.faults.size() < most_faults) found_.faults.push_back(sentence);
  }
  template <class Visit>
  void walk(Family family, const std::string& prefix, Visit visit);

  void read_messages();
  void read_spool();
  void read_lines();
  void read_groups();
  void read_ids();
  void read_bodies();
  void read_hub();
  void read_waiting();
  void read_history();
  void check_spool_totals();
  void check_entry(const Uuid& message, const SpoolEntry& entry);
  void check_references();

  void pace(std::size_t bytes);

  const Database& database_;
  const std::atomic<bool>& cancelled_;
  const bool beside_work_;
  std::size_t read_ = 0;  ///< since the last rest
  std::chrono::steady_clock::time_point rested_ = std::chrono::steady_clock::now();
  Verification found_;
  MessageTable messages_;
  std::map<std::uint32_t, GroupFacts> groups_;
  std::map<StorageGroup, std::uint32_t> numbers_;
  std::uint64_t spool_bytes_ = 0;
  /// Group, time and resubmission of the lines that nobody has been found for yet.
  std::set<std::tuple<std::uint32_t, Instant, Uuid>> resubmitting_;
  std::uint64_t format_ = format_version;
  std::optional<HubRecord> hub_;
};

/// Visits everything below a prefix that can be read; each place that cannot is a fault.
template <class Visit>
void Verifying::walk(Family family, const std::string& prefix, Visit visit) {
  const auto until = prefix.empty() ? std::string{} : key::behind(prefix);
  const auto walked = database_.walk(
      family, prefix, until,
      [&](std::string_view key, std::string_view payload) {
        visit(key, payload);
        pace(payload.size());
        return !cancelled_.load();
      },
      [&](const DamagedRange& range) {
        fault(name_of(family) + (range.until ? " has a place" : " has an end") + " that cannot be read");
      });
  if (!walked) fault(walked.error().detail);
}

void Verifying::pace(std::size_t bytes) {
  constexpr std::size_t stretch = std::size_t{1} << 20U;
  constexpr std::size_t a_record = 64;  // reading many small ones takes time, too
  read_ += bytes + a_record;
  if (!beside_work_ || read_ < stretch) return;
  std::this_thread::sleep_for(std::chrono::steady_clock::now() - rested_);
  rested_ = std::chrono::steady_clock::now();
  read_ = 0;
}

void Verifying::read_messages() {
  walk(Family::messages, {}, [this](std::string_view key, std::string_view payload) {
    auto& facts = messages_.next(key::uuid_at(key, 0));
    if (key::is_references(key)) {
      facts.counted = Decoder{payload}.number32();
      return;
    }
    ++found_.messages;
    facts.known = true;
    const auto message = decode_message(key::uuid_at(key, 0), payload);
    if (!message) return fault(message.error().detail);
    facts.chunks = message->chunks;
  });
}

void Verifying::check_entry(const Uuid& message, const SpoolEntry& entry) {
  if (!entry.group) {
    if (entry.in_doubt || !entry.resubmission.is_nil())
      fault(to_string(message) + " waits without a delivery");
    return;
  }
  const auto number = numbers_.find(*entry.group);
  if (number == numbers_.end()) return fault(to_string(message) + " is spooled for an unknown group");
  const auto stored = database_.get(Family::lines, key::line(number->second, entry.line));
  if (!stored) return fault(stored.error().detail);
  if (!*stored) return fault(to_string(message) + " is spooled for a delivery that is not there");
  const auto record = decode_line(entry.line, **stored);
  if (!record) return fault(record.error().detail);
  const auto expected = entry.in_doubt ? DeliveryState::in_doubt : DeliveryState::resubmitting;
  const bool agrees = record->line.message == message && record->line.state == expected &&
                      indices_of(record->line).contains(entry.index) &&
                      record->line.ever_delivered == entry.ever_delivered;
  if (!agrees) fault(to_string(message) + " and its delivery do not agree");
  resubmitting_.erase({number->second, entry.line, record->line.resubmission});
}

void Verifying::read_spool() {
  walk(Family::spool, {}, [this](std::string_view key, std::string_view payload) {
    const auto message = key::uuid_at(key, 0);
    ++found_.spooled;
    ++messages_[message].references;
    const auto record = decode_spool(payload);
    if (!record) return fault(record.error().detail);
    spool_bytes_ += record->size;
    if (record->entries.empty()) fault(to_string(message) + " is in the spool for nobody");
    for (const auto& entry : record->entries)
      check_entry(message, entry);
  });
}

void Verifying::read_lines() {
  walk(Family::lines, {}, [this](std::string_view key, std::string_view payload) {
    ++found_.lines;
    const auto record = decode_line(key::delivered_at(key), payload);
    if (!record) return fault(record.error().detail);
    const auto& line = record->line;
    ++messages_[line.message].references;
    const auto number = key::group_number(key);
    auto& group = groups_[number];
    group.lines += 1;
    group.bytes += line.size;
    if (line.state == DeliveryState::in_doubt) group.in_doubt += line.recipients.size();
    if (line.state == DeliveryState::resubmitting)
      resubmitting_.insert({number, line.delivered_at, line.resubmission});
    if (line.recipients.empty()) fault(to_string(line.delivery_id) + " was delivered to nobody");
    const auto indexed = database_.exists(Family::ids, key::id(number, line.delivery_id, line.delivered_at));
    if (!indexed || !*indexed) fault(to_string(line.delivery_id) + " is not found by its id");
  });
}

void Verifying::read_ids() {
  std::uint64_t ids = 0;
  walk(Family::ids, {}, [&](std::string_view, std::string_view) { ++ids; });
  if (ids != found_.lines) fault("there are other ids than deliveries");
}

void Verifying::read_bodies() {
  std::set<Uuid> begun;
  walk(Family::state, key::all_begun_bodies(),
       [&](std::string_view key, std::string_view) { begun.insert(key::message_of_begun_body(key)); });
  walk(Family::bodies, {}, [&](std::string_view key, std::string_view) {
    const auto message = key::uuid_at(key, 0);
    if (begun.contains(message)) {
      ++found_.unaccepted_chunks;
      return;
    }
    ++found_.chunks;
    auto& facts = messages_[message];
    if (key::chunk_number(key) != facts.chunks_found++)
      fault(to_string(message) + " lacks a chunk of its body");
    if (!facts.known) fault("a body is left of the message " + to_string(message));
  });
  messages_.for_each([this](const Uuid& message, const MessageFacts& facts) {
    if (facts.known && facts.chunks_found != facts.chunks)
      fault(to_string(message) + " does not have its whole body");
  });
}

void Verifying::check_references() {
  messages_.for_each([this](const Uuid& message, const MessageFacts& facts) {
    if (!facts.known) {
      if (facts.references > 0) fault(to_string(message) + " is referred to and is not there");
    } else if (facts.references == 0) {
      fault(to_string(message) + " is left without a reference");
    } else if (facts.references != facts.counted) {
      fault(to_string(message) + " has another number of references than counted");
    }
  });
}

void Verifying::read_groups() {
  walk(Family::state, key::all_groups(), [this](std::string_view key, std::string_view payload) {
    const auto record = decode_group_of(format_, payload);
    if (!record) return fault(record.error().detail);
    const auto name = key::group_of(key);
    numbers_[name] = record->number;
    const auto& facts = groups_[record->number];
    if (record->messages != facts.lines || record->bytes != facts.bytes ||
        record->in_doubt != facts.in_doubt) {
      fault("the totals of " + name.cluster + '/' + name.group + " are wrong");
    }
  });
}

/// What waits for a resubmission stands in its line; what a resubmission has is waiting or in the spool.
void Verifying::read_waiting() {
  walk(Family::resubmissions, key::all_resubmissions(),
       [this](std::string_view key, std::string_view payload) {
         const auto id = key::uuid_at(key, 1);
         const auto record = decode_resubmission(id, payload);
         if (!record) return fault(record.error().detail);
         const auto number = numbers_.find(record->group);
         walk(Family::resubmissions, key::all_waiting(id), [&](std::string_view waiting, std::string_view) {
           if (number == numbers_.end()) return fault("a resubmission is for an unknown group");
           const auto time = key::delivered_at_of_waiting(waiting);
           if (resubmitting_.erase({number->second, time, id}) > 0) return;
           // One that is over may have lost it to another one.
           if (record->state != ResubmissionState::cancelled)
             fault("the resubmission " + to_string(id) + " waits with a delivery that is not its own");
         });
       });
  if (!resubmitting_.empty()) fault("a delivery is being resubmitted by nobody");
}

void Verifying::read_history() {
  walk(Family::history, {}, [this](std::string_view, std::string_view payload) {
    const auto events = decode_history(payload);
    if (!events) fault(events.error().detail);
  });
}

void Verifying::read_hub() {
  const auto stored = database_.get(Family::state, key::hub());
  if (!stored) return fault(stored.error().detail);
  if (!*stored) return fault("the record of the hub is missing");
  const auto hub = decode_hub(**stored);
  if (!hub) return fault(hub.error().detail);
  hub_ = *hub;
  format_ = hub->format;
}

void Verifying::check_spool_totals() {
  if (hub_ && (hub_->spool_messages != found_.spooled || hub_->spool_bytes != spool_bytes_)) {
    fault("the totals of the spool are wrong");
  }
}

Verification Verifying::run() {
  read_hub();
  read_messages();
  read_lines();
  read_groups();
  read_spool();
  read_waiting();
  read_ids();
  check_spool_totals();
  read_history();
  read_bodies();
  check_references();
  return std::move(found_);
}

}  // namespace

Result<Verification> rocks::verify_copy(const Database& database, const Folder& store,
                                        const std::atomic<bool>& cancelled) {
  Checkpoint checkpoint{store};
  const auto made = checkpoint.make(database);
  if (!made) return made.error();
  const auto copy = Database::open(checkpoint.database(), Database::Mode::read_only);
  if (!copy) return copy.error();
  auto found = Verifying{**copy, cancelled, true}.run();
  database.add_damage((*copy)->damage());
  if (cancelled)
    return Error{Fault::unavailable, "the verification was broken off, since the store is closed"};
  return found;
}

Result<Verification> verify_store(const std::filesystem::path& path) {
  const Folder folder{path};
  const auto state = inspect(folder);
  if (!state) return state.error();
  if (*state == FolderState::fresh) return Error{Fault::not_found, "there is no store in " + path.string()};
  if (in_use(folder))
    return Error{Fault::unavailable, "another process has the store in " + path.string() + " open"};
  const auto database = Database::open(folder.database(), Database::Mode::read_only);
  if (!database) return database.error();
  const std::atomic<bool> never{false};
  return Verifying{**database, never, false}.run();
}

}  // namespace dumpster
