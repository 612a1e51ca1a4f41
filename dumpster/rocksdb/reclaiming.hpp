#pragma once

#include <atomic>
#include <thread>

#include "dumpster/rocksdb/database.hpp"

namespace dumpster::rocks {

/// Gives disk space back that a few live bodies hold up: the bodies of a quiet storage group lie in the same
/// files as those of a busy one, and stay when those have gone. Works on a thread of its own, one pass at a
/// time. `look` and `stop` are for one thread at a time.
class Reclaiming {
 public:
  explicit Reclaiming(Database& database) : database_(database) {}
  ~Reclaiming() { stop(); }
  Reclaiming(const Reclaiming&) = delete;
  Reclaiming& operator=(const Reclaiming&) = delete;

  /// Begins a pass when enough of the files is garbage and none is under way.
  void look();
  /// Breaks a pass off; nothing is lost by it.
  void stop();

 private:
  void pass();

  Database& database_;
  std::atomic<bool> cancelled_{false};
  std::atomic<bool> given_up_{false};
  std::atomic<bool> working_{false};
  std::thread thread_;
};

/// Whether a pass is worth its writing.
bool worth_reclaiming(const Database::BodySpace& space);

}  // namespace dumpster::rocks
