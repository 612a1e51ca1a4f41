#include "recovery/agent/directory.hpp"

#include <dirent.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <string_view>

namespace recovery::agent {

using dumpster::Result;

dumpster::Error unreadable(const std::string& path, int error) {
  return {dumpster::Fault::unavailable, path + " cannot be read: " + std::strerror(error)};
}

Result<std::optional<std::vector<std::string>>> names_in(const std::string& path) {
  const std::unique_ptr<DIR, int (*)(DIR*)> directory{::opendir(path.c_str()), ::closedir};
  if (!directory) {
    if (errno == ENOENT || errno == ENOTDIR) return std::optional<std::vector<std::string>>{};
    return unreadable(path, errno);
  }
  std::vector<std::string> names;
  for (;;) {
    errno = 0;
    const dirent* entry = ::readdir(directory.get());
    if (entry == nullptr) break;
    const std::string_view name{entry->d_name};
    if (name != "." && name != "..") names.emplace_back(name);
  }
  if (errno != 0) return unreadable(path, errno);
  return std::optional{std::move(names)};
}

bool is_directory(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

}  // namespace recovery::agent
