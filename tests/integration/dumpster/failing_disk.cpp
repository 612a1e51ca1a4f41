#include "failing_disk.hpp"

#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <string>

namespace dumpster::testing {
namespace {

std::string failing_folder;
std::atomic<bool> failing{false};
FailingDisk::Calls failing_calls{};
std::atomic<int> calls_left{0};
std::atomic<int> failures_left{0};
std::atomic<int> failures{0};

/// Whether this call on `file` is one that is to fail.
bool fails(int file, FailingDisk::Calls call) {
  if (!failing) return false;
  if (failing_calls != FailingDisk::Calls::both && failing_calls != call) return false;
  const auto link = "/proc/self/fd/" + std::to_string(file);
  std::array<char, 4096> target{};
  const auto length = ::readlink(link.c_str(), target.data(), target.size());
  if (length <= 0) return false;
  const std::string path{target.data(), static_cast<std::size_t>(length)};
  if (!path.starts_with(failing_folder)) return false;
  if (calls_left > 1) {
    --calls_left;
    return false;
  }
  if (failures_left <= 0) return false;
  --failures_left;
  ++failures;
  errno = EIO;
  return true;
}

}  // namespace

FailingDisk::FailingDisk(const std::filesystem::path& folder, Calls calls, int nth, int times) {
  failing_folder = folder.string();
  failing_calls = calls;
  calls_left = nth;
  failures_left = times;
  failures = 0;
  failing = true;
}

FailingDisk::~FailingDisk() {
  failing = false;
}

int FailingDisk::failed() const {
  return failures;
}

}  // namespace dumpster::testing

// The C library's calls as RocksDB makes them: a program's own come first.
extern "C" {

ssize_t write(int file, const void* bytes, size_t size) {
  if (dumpster::testing::fails(file, dumpster::testing::FailingDisk::Calls::writes)) return -1;
  return ::syscall(SYS_write, file, bytes, size);
}

ssize_t pwrite64(int file, const void* bytes, size_t size, off64_t offset) {
  if (dumpster::testing::fails(file, dumpster::testing::FailingDisk::Calls::writes)) return -1;
  return ::syscall(SYS_pwrite64, file, bytes, size, offset);
}

int fdatasync(int file) {
  if (dumpster::testing::fails(file, dumpster::testing::FailingDisk::Calls::syncs)) return -1;
  return static_cast<int>(::syscall(SYS_fdatasync, file));
}

int fsync(int file) {
  if (dumpster::testing::fails(file, dumpster::testing::FailingDisk::Calls::syncs)) return -1;
  return static_cast<int>(::syscall(SYS_fsync, file));
}
}
