#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "dumpster/rocksdb/database.hpp"
#include "dumpster/rocksdb/tables.hpp"

namespace dumpster::rocks {

/// Values written and not yet in the database, sealed; nothing stands for a removed key.
using Overlay = std::array<std::map<std::string, std::optional<std::string>, std::less<>>, family_count>;

struct Retained {
  std::uint64_t deliveries = 0;
  std::uint64_t bytes = 0;
};

/// What is counted once the write is durable.
struct Counted {
  std::map<StorageGroup, Retained> retained;
  std::map<std::pair<StorageGroup, std::string>, std::uint64_t> removed;  ///< by reason
  std::map<StorageGroup, std::uint64_t> unconfirmed;  ///< removed with nobody having confirmed them
  std::map<std::string, std::uint64_t> resubmitted;   ///< recipients by result

  void add(const Counted& more);
};

/// Several changes that are written at once, as far as they have been applied.
struct Batch {
  Overlay overlay;
  Counted counted;
  std::set<StorageGroup> dirty_groups;
  std::set<std::string> dirty_clusters;
  std::set<StorageGroup> grown_groups;  ///< have new lines: their size is to be looked at
  bool dirty_at_work = false;
  std::string history;  ///< encoded events, one behind the other
};

/// One change while it is applied: it reads what the batch has so far and the database below, and what it
/// writes joins the batch when it is complete. Dropped without `join`, it leaves batch and tables as they
/// were. Used by the committer's thread alone. Reading damaged records throws `Refused`.
class Change {
 public:
  Change(const Database& database, Tables& tables, Batch& batch, Instant clock);
  ~Change();
  Change(const Change&) = delete;
  Change& operator=(const Change&) = delete;

  // --- records by key
  std::optional<std::string> get(Family family, std::string_view key) const;
  bool exists(Family family, std::string_view key) const;
  void put(Family family, std::string key, std::string_view payload);
  void erase(Family family, std::string key);
  /// Visits `[from, until)` in order, `visit` returns false to end. The change must not write the family
  /// meanwhile.
  void walk(Family family, std::string_view from, std::string_view until,
            const Database::Visitor& visit) const;

  // --- tables
  const Tables& tables() const { return tables_; }
  HubRecord& hub() { return tables_.hub; }
  const ClusterEntry& cluster(std::string_view name) const;  ///< `not_found`
  const GroupEntry& group(const StorageGroup& name) const;   ///< `not_found`
  ClusterRecord& edit_cluster(std::string_view name);
  GroupEntry& edit_group(const StorageGroup& name);
  void count_resubmission(ResubmissionState state, std::int64_t difference);
  std::map<Uuid, ResubmissionAtWork>& edit_at_work();

  /// The machine's time when the batch was begun.
  Instant clock() const { return clock_; }
  /// A time that no line and no snapshot has had before, later than all of them.
  Instant next_time();

  /// One reference more or less to a message of `size` bytes. With the last one, message and body go.
  void refer(const Uuid& message, std::uint64_t size, int difference);

  Counted& counted() { return counted_; }
  /// What a trace will tell; its time is set.
  void note(HistoryEvent event);
  void group_has_grown(const StorageGroup& name) { grown_.insert(name); }

  /// Gives everything to the batch.
  void join();

 private:
  struct References {
    int difference = 0;
    std::uint64_t size = 0;
  };
  void settle_references();
  void remove_message(const Uuid& message, std::uint64_t size);
  const std::optional<std::string>* pending(Family family, std::string_view key) const;

  const Database& database_;
  Tables& tables_;
  Batch& batch_;
  const Instant clock_;
  Overlay overlay_;
  Counted counted_;
  std::map<Uuid, References> references_;
  std::set<StorageGroup> grown_;
  std::string history_;
  bool joined_ = false;

  // As they were, to go back to.
  const HubRecord saved_hub_;
  const std::map<ResubmissionState, std::uint64_t> saved_resubmissions_;
  std::map<std::string, ClusterRecord, std::less<>> saved_clusters_;
  std::map<StorageGroup, GroupEntry> saved_groups_;
  std::optional<std::map<Uuid, ResubmissionAtWork>> saved_at_work_;
};

/// How many chunks a body of `size` bytes has.
std::uint32_t chunks_of(std::uint64_t size);

}  // namespace dumpster::rocks
