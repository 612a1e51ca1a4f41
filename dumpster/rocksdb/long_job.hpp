#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <thread>

namespace dumpster::rocks {

/// Work of minutes on a thread of its own, one piece at a time. Thread-safe.
class LongJob {
 public:
  /// Tells whoever waits what came of it, when the next one may begin already. Must not begin it itself.
  using Tell = std::function<void()>;
  using Job = std::function<Tell(const std::atomic<bool>& cancelled)>;

  LongJob() = default;
  ~LongJob() { stop(); }
  LongJob(const LongJob&) = delete;
  LongJob& operator=(const LongJob&) = delete;

  /// False while another one is going on, and after `stop`. The job looks at `cancelled` from time to time.
  bool start(Job job);
  /// Cancels what is going on and waits for its end.
  void stop();

 private:
  std::mutex mutex_;
  std::atomic<bool> working_{false};
  std::atomic<bool> cancelled_{false};
  std::thread thread_;
};

}  // namespace dumpster::rocks
