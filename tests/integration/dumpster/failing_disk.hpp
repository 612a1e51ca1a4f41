#pragma once

#include <filesystem>

namespace dumpster::testing {

/// While it lives, the `nth` write or sync of a file below `folder` fails with EIO, and of the ones behind it
/// as many as `times` says in all. A write that fails has written nothing; a sync that fails has synced
/// nothing, but what was written can be read. One at a time.
class FailingDisk {
 public:
  enum class Calls { writes, syncs, both };

  FailingDisk(const std::filesystem::path& folder, Calls calls, int nth, int times = 1);
  ~FailingDisk();
  FailingDisk(const FailingDisk&) = delete;
  FailingDisk& operator=(const FailingDisk&) = delete;

  /// How many calls have failed.
  int failed() const;
};

}  // namespace dumpster::testing
