#include "dumpster/rocksdb/merge_watch.hpp"

#include <utility>

namespace dumpster::rocks {

void MergeWatch::OnCompactionCompleted(rocksdb::DB* /*database*/, const rocksdb::CompactionJobInfo& job) {
  if (!job.status.IsCorruption()) return;
  const std::lock_guard lock{mutex_};
  failed_.insert(job.cf_name);
}

void MergeWatch::OnBackgroundError(rocksdb::BackgroundErrorReason reason, rocksdb::Status* error) {
  if (reason == rocksdb::BackgroundErrorReason::kCompaction && error->IsCorruption())
    *error = rocksdb::Status::OK();
}

std::set<std::string> MergeWatch::take_failed() {
  const std::lock_guard lock{mutex_};
  return std::exchange(failed_, {});
}

}  // namespace dumpster::rocks
