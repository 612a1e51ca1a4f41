#include "dumpster/verify.hpp"

#include <map>
#include <set>
#include <tuple>

#include "dumpster/codec.hpp"
#include "dumpster/records.hpp"
#include "dumpster/rocksdb/change.hpp"
#include "dumpster/rocksdb/database.hpp"
#include "dumpster/rocksdb/folder.hpp"
#include "dumpster/rocksdb/lines.hpp"

namespace dumpster {
namespace {

using namespace rocks;

constexpr std::size_t most_faults = 1000;

class Verifying {
 public:
  explicit Verifying(const Database& database) : database_(database) {}

  Verification run();

 private:
  struct MessageFacts {
    std::uint32_t chunks = 0;
    std::uint64_t counted = 1;  ///< references as the record of them says
    std::uint64_t references = 0;
    bool known = false;
  };
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
  void read_totals();
  void read_waiting();
  void read_history();
  void check_entry(const Uuid& message, const SpoolEntry& entry);
  void check_references();

  const Database& database_;
  Verification found_;
  std::map<Uuid, MessageFacts> messages_;
  std::map<std::uint32_t, GroupFacts> groups_;
  std::map<StorageGroup, std::uint32_t> numbers_;
  std::uint64_t spool_bytes_ = 0;
  /// Group, time and resubmission of the lines that nobody has been found for yet.
  std::set<std::tuple<std::uint32_t, Instant, Uuid>> resubmitting_;
};

/// Visits everything below a prefix; damage is a fault and ends the walk of that family.
template <class Visit>
void Verifying::walk(Family family, const std::string& prefix, Visit visit) {
  const auto until = prefix.empty() ? std::string{} : key::behind(prefix);
  const auto walked =
      database_.walk(family, prefix, until, [&](std::string_view key, std::string_view payload) {
        visit(key, payload);
        return true;
      });
  if (!walked) fault(walked.error().detail);
}

void Verifying::read_messages() {
  walk(Family::messages, {}, [this](std::string_view key, std::string_view payload) {
    auto& facts = messages_[key::uuid_at(key, 0)];
    if (key::is_references(key)) {
      facts.counted = Decoder{payload}.number();
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
  std::map<Uuid, std::uint32_t> chunks;
  walk(Family::bodies, {}, [&](std::string_view key, std::string_view) {
    const auto message = key::uuid_at(key, 0);
    if (begun.contains(message)) {
      ++found_.unaccepted_chunks;
      return;
    }
    ++found_.chunks;
    if (key::chunk_number(key) != chunks[message]++) fault(to_string(message) + " lacks a chunk of its body");
    if (!messages_.contains(message)) fault("a body is left of the message " + to_string(message));
  });
  for (const auto& [message, facts] : messages_) {
    if (facts.known && chunks[message] != facts.chunks)
      fault(to_string(message) + " does not have its whole body");
  }
}

void Verifying::check_references() {
  for (const auto& [message, facts] : messages_) {
    if (!facts.known) {
      fault(to_string(message) + " is referred to and is not there");
    } else if (facts.references == 0) {
      fault(to_string(message) + " is left without a reference");
    } else if (facts.references != facts.counted) {
      fault(to_string(message) + " has another number of references than counted");
    }
  }
}

void Verifying::read_groups() {
  walk(Family::state, key::all_groups(), [this](std::string_view key, std::string_view payload) {
    const auto record = decode_group(payload);
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

void Verifying::read_totals() {
  const auto stored = database_.get(Family::state, key::hub());
  if (!stored) return fault(stored.error().detail);
  if (!*stored) return fault("the record of the hub is missing");
  const auto hub = decode_hub(**stored);
  if (!hub) return fault(hub.error().detail);
  if (hub->spool_messages != found_.spooled || hub->spool_bytes != spool_bytes_) {
    fault("the totals of the spool are wrong");
  }
}

Verification Verifying::run() {
  read_messages();
  read_lines();
  read_groups();
  read_spool();
  read_waiting();
  read_ids();
  read_totals();
  read_history();
  read_bodies();
  check_references();
  return std::move(found_);
}

}  // namespace

Result<Verification> verify_store(const std::filesystem::path& path) {
  const Folder folder{path};
  const auto state = inspect(folder);
  if (!state) return state.error();
  if (*state != FolderState::complete)
    return Error{Fault::not_found, "there is no store in " + path.string()};
  if (in_use(folder))
    return Error{Fault::unavailable, "another process has the store in " + path.string() + " open"};
  const auto database = Database::open(folder.database(), Database::Mode::read_only);
  if (!database) return database.error();
  return Verifying{**database}.run();
}

}  // namespace dumpster
