#pragma once

#include <atomic>
#include <filesystem>

#include "dumpster/rocksdb/database.hpp"
#include "dumpster/rocksdb/folder.hpp"
#include "dumpster/store.hpp"

namespace dumpster::rocks {

/// Links the files of `database` as it is now into `store`'s own folder, for as long as this lives. One at a
/// time.
class Checkpoint {
 public:
  explicit Checkpoint(const Folder& store) : folder_(store.backing_up()) { remove(); }
  ~Checkpoint() { remove(); }
  Checkpoint(const Checkpoint&) = delete;
  Checkpoint& operator=(const Checkpoint&) = delete;

  Result<void> make(const Database& database);
  std::filesystem::path database() const { return folder_ / "db"; }

 private:
  void remove();

  const std::filesystem::path folder_;
};

/// Makes the folder `to`, which must not be there or be empty, a store that knows that it is a backup: what
/// `database` held at one moment, on stable storage when this returns. The database is in use only until
/// its files are linked into `store`'s own folder; from there they are linked to `to` on the same file
/// system, and copied to another one. After an error, or when `cancelled` becomes true, nothing of it is
/// left.
Result<BackupMade> make_backup(const Database& database, const Folder& store, const std::filesystem::path& to,
                               const std::atomic<bool>& cancelled);

}  // namespace dumpster::rocks
