// Preloaded into the hub: while the file named by FAILING_SYNC exists, every sync of a write-ahead log fails
// with EIO. What was written can be read all the same, as with a real disk. While the file named by SLOW_SYNC
// exists, such a sync does not come back.

#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <string>

namespace {

bool is_ordered(const char* variable) {
  const char* order = std::getenv(variable);
  return order != nullptr && ::access(order, F_OK) == 0;
}

bool is_log(int file) {
  const auto link = "/proc/self/fd/" + std::to_string(file);
  std::array<char, 4096> target{};
  const auto length = ::readlink(link.c_str(), target.data(), target.size());
  return length > 0 && std::string{target.data(), static_cast<std::size_t>(length)}.ends_with(".log");
}

int sync_of(long call, int file) {
  while (is_ordered("SLOW_SYNC") && is_log(file))
    ::usleep(5000);
  if (is_ordered("FAILING_SYNC") && is_log(file)) {
    errno = EIO;
    return -1;
  }
  return static_cast<int>(::syscall(call, file));
}

}  // namespace

extern "C" int fdatasync(int file) {
  return sync_of(SYS_fdatasync, file);
}

extern "C" int fsync(int file) {
  return sync_of(SYS_fsync, file);
}
