#include "relay/hub/file_watch.hpp"

#include <sys/stat.h>

#include <chrono>
#include <fstream>

namespace relay {
namespace {

constexpr unsigned patience = 5;  // looks at a file that seems unfinished
constexpr std::chrono::nanoseconds moment = std::chrono::seconds{2};

std::int64_t nanoseconds(const timespec& time) {
  return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

}  // namespace

FileWatch::FileWatch(std::filesystem::path path) : path_(std::move(path)) {
  take();
}

FileWatch::Identity FileWatch::identity() const {
  struct stat status {};
  Identity found;
  if (::stat(path_.c_str(), &status) != 0) return found;
  found.exists = true;
  found.device = status.st_dev;
  found.inode = status.st_ino;
  found.size = static_cast<std::uint64_t>(status.st_size);
  found.modified = nanoseconds(status.st_mtim);
  found.changed = nanoseconds(status.st_ctim);
  return found;
}

bool FileWatch::finished(const Identity& file) const {
  if (!file.exists || file.size == 0) return false;
  std::ifstream in{path_, std::ios::binary};
  in.seekg(-1, std::ios::end);
  return in.get() == '\n';
}

bool FileWatch::look() {
  const auto now = identity();
  quiet_looks_ = now == seen_ ? quiet_looks_ + 1 : 0;
  seen_ = now;
  if (now == known_ || quiet_looks_ == 0) return false;
  if (quiet_looks_ < patience && !finished(now)) return false;
  known_ = now;
  return true;
}

void FileWatch::take() {
  known_ = identity();
  seen_ = known_;
  quiet_looks_ = 0;
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  if (known_.exists && now - std::chrono::nanoseconds{known_.changed} < moment) known_ = {};
}

bool FileWatch::unchanged() const {
  return identity() == known_;
}

}  // namespace relay
