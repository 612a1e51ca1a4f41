#include "dumpster/rocksdb/long_work.hpp"

#include "dumpster/rocksdb/backup.hpp"
#include "dumpster/rocksdb/verifying.hpp"
#include "metrics/log.hpp"

namespace dumpster::rocks {
namespace {

const Error busy{Fault::conflict, "a backup or a verification is going on, or the store is closed"};

}  // namespace

void LongWork::backup(std::filesystem::path to, Completion<BackupMade> done) {
  auto job = [this, to = std::move(to), done](const std::atomic<bool>& cancelled) -> LongJob::Tell {
    auto made = make_backup(database_, folder_, to, cancelled);
    if (made) {
      metrics::log_info("backup_made", {{"folder", to.string()}, {"bytes", made->bytes}});
    } else {
      metrics::log_warning("backup_failed", {{"folder", to.string()}, {"reason", made.error().detail}});
    }
    return [done, made = std::move(made)] { done(made); };
  };
  if (!job_.start(std::move(job))) done(busy);
}

void LongWork::verify(Completion<Verification> done) {
  auto job = [this, done](const std::atomic<bool>& cancelled) -> LongJob::Tell {
    return [done, verified = verify_copy(database_, folder_, cancelled)] { done(verified); };
  };
  if (!job_.start(std::move(job))) done(busy);
}

}  // namespace dumpster::rocks
