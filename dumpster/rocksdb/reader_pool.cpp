#include "dumpster/rocksdb/reader_pool.hpp"

namespace dumpster::rocks {
namespace {
constexpr std::size_t reader_threads = 2;
constexpr std::size_t most_jobs = 8192;
}  // namespace

ReaderPool::ReaderPool() {
  for (std::size_t i = 0; i < reader_threads; ++i)
    threads_.emplace_back([this] { run(); });
}

ReaderPool::~ReaderPool() {
  stop();
}

bool ReaderPool::post(std::function<void()> job) {
  {
    const std::lock_guard lock{mutex_};
    if (stopping_ || jobs_.size() >= most_jobs) return false;
    jobs_.push_back(std::move(job));
  }
  wake_.notify_one();
  return true;
}

void ReaderPool::stop() {
  {
    const std::lock_guard lock{mutex_};
    stopping_ = true;
  }
  wake_.notify_all();
  for (auto& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

void ReaderPool::run() {
  while (true) {
    std::function<void()> job;
    {
      std::unique_lock lock{mutex_};
      wake_.wait(lock, [this] { return stopping_ || !jobs_.empty(); });
      if (jobs_.empty()) return;
      job = std::move(jobs_.front());
      jobs_.pop_front();
    }
    job();
  }
}

}  // namespace dumpster::rocks
