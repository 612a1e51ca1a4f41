#pragma once

#include "dumpster/rocksdb/database.hpp"
#include "dumpster/rocksdb/folder.hpp"
#include "dumpster/rocksdb/long_job.hpp"
#include "dumpster/store.hpp"

namespace dumpster::rocks {

/// What takes minutes and goes on beside everything else: one piece at a time, `conflict` for another one.
/// Thread-safe. `database` must outlive it.
class LongWork {
 public:
  LongWork(const Database& database, Folder folder) : database_(database), folder_(std::move(folder)) {}

  /// `Store::backup` and `Store::verify`.
  void backup(std::filesystem::path to, Completion<BackupMade> done);
  void verify(Completion<Verification> done);
  /// Breaks off what is going on; nothing begins any more.
  void stop() { job_.stop(); }

 private:
  const Database& database_;
  const Folder folder_;
  LongJob job_;
};

}  // namespace dumpster::rocks
