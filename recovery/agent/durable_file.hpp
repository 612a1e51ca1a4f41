#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string_view>

#include "dumpster/error.hpp"

namespace recovery::agent {

/// A descriptor that closes itself.
class Descriptor {
 public:
  explicit Descriptor(int fd = -1) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept;
  Descriptor& operator=(Descriptor&& other) noexcept;
  ~Descriptor() { close(); }
  void close();
  int get() const { return fd_; }

 private:
  int fd_;
};

/// False with `errno` when not all of it could be written.
bool write_all(int fd, std::string_view text);

/// Replaces a file by one with this text: written beside it, synced, renamed over it, and the directory
/// synced. After a power cut there is the one or the other.
dumpster::Result<void> replace_file(const std::filesystem::path& path, std::string_view text, mode_t mode);

}  // namespace recovery::agent
