#pragma once

#include <rocksdb/listener.h>

#include <mutex>
#include <set>
#include <string>

namespace dumpster::rocks {

/// Sees to it that damage which RocksDB meets while it merges files does not stop the writes: they have
/// nothing to do with it. Merging that file would be tried for ever, so whoever asks is told which families
/// are to be left alone. Thread-safe.
class MergeWatch final : public rocksdb::EventListener {
 public:
  void OnCompactionCompleted(rocksdb::DB* database, const rocksdb::CompactionJobInfo& job) override;
  void OnBackgroundError(rocksdb::BackgroundErrorReason reason, rocksdb::Status* error) override;

  /// Families in which it has happened since the last call.
  std::set<std::string> take_failed();

 private:
  std::mutex mutex_;
  std::set<std::string> failed_;
};

}  // namespace dumpster::rocks
