#pragma once

#include <rocksdb/db.h>

#include <array>
#include <atomic>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <string>
#include <string_view>

#include "dumpster/error.hpp"
#include "dumpster/rocksdb/damage_book.hpp"
#include "dumpster/rocksdb/damaged_range.hpp"
#include "dumpster/rocksdb/keys.hpp"

namespace dumpster::rocks {

class MergeWatch;

/// The RocksDB below the store: column families, options, and reading. Thread-safe.
class Database {
 public:
  enum class Mode { create, open, read_only, salvage };

  /// Opens the database in `folder`. `create` makes it when it is not there; `salvage` reads what can be read
  /// of a damaged one. Any damage, a lock held by
  /// another process, and a database of something else are errors that leave it as it is.
  static Result<std::unique_ptr<Database>> open(const std::filesystem::path& folder, Mode mode);

  /// Closes and opens it again, which reads the log anew: the way out of a failed write. Waits until nobody
  /// uses it. After an error it is closed, and can only be opened again.
  Result<void> open_again();

  /// Held by threads other than the committer's while they read; nothing when the database is closed.
  using Use = std::shared_lock<std::shared_mutex>;
  std::optional<Use> use() const;

  const std::filesystem::path& folder() const { return folder_; }

  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  /// The payload under `key`, or nothing; `damaged`.
  Result<std::optional<std::string>> get(Family family, std::string_view key) const;

  /// Whether there is anything under `key`; its checksum is not looked at.
  Result<bool> exists(Family family, std::string_view key) const;

  /// Called with key and payload; false ends the walk.
  using Visitor = std::function<bool(std::string_view key, std::string_view payload)>;
  /// Told of what a walk goes around: a record that does not carry its checksum, or a part of a file.
  using OnDamage = std::function<void(const DamagedRange& range)>;
  /// Visits `[from, until)` in order, as it is now. An empty `until` means to the end. What is damaged is
  /// noted in `damage`, told to `on_damage` and passed over: one record does not hide the others.
  Result<void> walk(Family family, std::string_view from, std::string_view until, const Visitor& visit,
                    const OnDamage& on_damage = {}) const;
  Result<void> walk_backwards(Family family, std::string_view from, std::string_view until,
                              const Visitor& visit) const;

  /// Writes all or nothing. With `sync` everything written until now is on stable storage afterwards.
  rocksdb::Status write(rocksdb::WriteBatch& batch, bool sync);
  void put(rocksdb::WriteBatch& batch, Family family, std::string_view key, std::string_view sealed);
  void erase(rocksdb::WriteBatch& batch, Family family, std::string_view key);

  /// A copy of all that is written, in a folder that is not there yet.
  rocksdb::Status checkpoint(const std::filesystem::path& to) const;

  /// What could not be read since it was opened first.
  const DamageBook& damage() const { return damage_; }
  /// What was found in a copy of it.
  void add_damage(const DamageBook& found) const { damage_.add(found); }
  /// When merging files of a family has met damage it is given up for that family, so that the rest works
  /// on; called from time to time.
  void tend();

  struct BodySpace {
    std::uint64_t files = 0;  ///< bytes of the files in which bodies lie
    std::uint64_t garbage =
        0;  ///< bytes in them that belong to removed bodies, as far as compactions have seen
  };
  BodySpace body_space() const;
  /// Copies what is alive out of the oldest `part` (0 to 1) of the body files, which go then. May take
  /// minutes; ends soon after `cancelled` has become true.
  rocksdb::Status rewrite_bodies(double part, std::atomic<bool>& cancelled);

  /// Writes what is in memory into files and closes the log.
  rocksdb::Status flush();

 private:
  explicit Database(std::filesystem::path folder);
  Result<void> open_in(Mode mode);
  void close();
  rocksdb::ColumnFamilyHandle* handle(Family family) const {
    return handles_[static_cast<std::size_t>(family)];
  }
  std::unique_ptr<rocksdb::Iterator> iterator(Family family, std::string_view from, std::string_view until,
                                              rocksdb::Slice& lower, rocksdb::Slice& upper) const;

  Error noted(Family family, std::string_view key, Error error) const;

  const std::filesystem::path folder_;
  mutable DamageBook damage_;
  const std::shared_ptr<MergeWatch> merges_;
  mutable std::shared_mutex in_use_;
  std::unique_ptr<rocksdb::DB> db_;
  std::array<rocksdb::ColumnFamilyHandle*, family_count> handles_{};
};

/// What a status of RocksDB means to the store's callers.
Error error_from(const rocksdb::Status& status, std::string_view doing);

}  // namespace dumpster::rocks
