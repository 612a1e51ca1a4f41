#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

namespace relay {

/// A thread for what takes its time and must keep no other from its work: reading large files again. One
/// thing after the other.
class Housekeeper {
 public:
  /// `look` once a second; `reload` whenever it was asked for.
  Housekeeper(std::function<void()> look, std::function<void()> reload);
  ~Housekeeper();
  Housekeeper(const Housekeeper&) = delete;
  Housekeeper& operator=(const Housekeeper&) = delete;

  /// Thread-safe. Several before their turn are one.
  void reload();
  /// Lets what is under way end.
  void stop();

 private:
  void work();

  const std::function<void()> look_;
  const std::function<void()> reload_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool wanted_ = false;
  bool ending_ = false;
  std::thread thread_;
};

}  // namespace relay
