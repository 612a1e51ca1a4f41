#pragma once

#include <cstdint>
#include <filesystem>

namespace relay {

/// Notices that a file has been changed or another one put in its place, and that whoever does it is done.
///
/// Compares inode, size and times at every look. A change counts when the file looks the same at two looks; a
/// file that seems unfinished (it is not there, empty, or has no end to its last line) has to stay so for
/// longer. Looks are meant to be a second apart. For one thread.
class FileWatch {
 public:
  explicit FileWatch(std::filesystem::path path);

  /// Whether there is something else than what was taken last. What is told is taken: once for each change,
  /// whatever comes of it.
  bool look();
  /// What is there now is known. A file that was changed within the last moments counts as changed once
  /// more: a second change in the same moment could not be told from it.
  void take();
  /// Whether the file is still the one that was taken: not when it was written to while it was read.
  bool unchanged() const;
  const std::filesystem::path& path() const { return path_; }

 private:
  struct Identity {
    bool exists = false;
    std::uint64_t device = 0;
    std::uint64_t inode = 0;
    std::uint64_t size = 0;
    std::int64_t modified = 0;  ///< nanoseconds
    std::int64_t changed = 0;

    bool operator==(const Identity&) const = default;
  };
  Identity identity() const;
  bool finished(const Identity& file) const;

  std::filesystem::path path_;
  Identity known_;
  Identity seen_;
  unsigned quiet_looks_ = 0;
};

}  // namespace relay
