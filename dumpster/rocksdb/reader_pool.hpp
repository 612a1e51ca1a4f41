#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace dumpster::rocks {

/// A few threads that read from the disk, so that no caller waits for it. Thread-safe.
class ReaderPool {
 public:
  ReaderPool();
  ~ReaderPool();
  ReaderPool(const ReaderPool&) = delete;
  ReaderPool& operator=(const ReaderPool&) = delete;

  /// False when too much waits already or the pool is stopped; `job` is not called then.
  bool post(std::function<void()> job);
  /// Finishes what waits and ends the threads.
  void stop();

 private:
  void run();

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> jobs_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace dumpster::rocks
