#include "dumpster/rocksdb/long_job.hpp"

namespace dumpster::rocks {

bool LongJob::start(Job job) {
  const std::lock_guard lock{mutex_};
  if (cancelled_ || working_.exchange(true)) return false;
  if (thread_.joinable()) thread_.join();
  thread_ = std::thread{[this, job = std::move(job)] {
    const Tell tell = job(cancelled_);
    working_ = false;
    tell();
  }};
  return true;
}

void LongJob::stop() {
  const std::lock_guard lock{mutex_};
  cancelled_ = true;
  if (thread_.joinable()) thread_.join();
}

}  // namespace dumpster::rocks
