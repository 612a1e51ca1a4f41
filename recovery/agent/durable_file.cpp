#include "recovery/agent/durable_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

namespace recovery::agent {
namespace {

dumpster::Error failure(const std::string& what) {
  return {dumpster::Fault::unavailable, what + ": " + std::strerror(errno)};
}

}  // namespace

Descriptor::Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}

void Descriptor::close() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

bool write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = ::write(fd, text.data(), text.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(count));
  }
  return true;
}

dumpster::Result<void> replace_file(const std::filesystem::path& path, std::string_view text, mode_t mode) {
  const std::string fresh = path.string() + ".new";
  const Descriptor file{::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode)};
  if (file.get() < 0 || !write_all(file.get(), text) || ::fsync(file.get()) != 0) {
    return failure(fresh + " cannot be written");
  }
  if (::rename(fresh.c_str(), path.c_str()) != 0) return failure(path.string() + " cannot be replaced");
  const std::string folder = path.parent_path().empty() ? "." : path.parent_path().string();
  const Descriptor directory{::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (directory.get() < 0 || ::fsync(directory.get()) != 0) return failure(folder + " cannot be synced");
  return {};
}

}  // namespace recovery::agent
