#include "dumpster/rocksdb/folder.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cstring>
#include <fstream>
#include <sstream>
#include <string>

#include "dumpster/records.hpp"

namespace dumpster::rocks {
namespace {

constexpr std::string_view title = "transport-dumpster store";
constexpr std::string_view creating = "creating";
constexpr std::string_view complete = "complete";
constexpr std::string_view backing_up = "backing-up";
constexpr std::string_view backup = "backup";

Error failed(const std::string& doing, int error) {
  return {Fault::unavailable, doing + ": " + std::strerror(error)};
}

/// Replaces the file whole, durably.
Result<void> write_format(const Folder& folder, std::string_view state) {
  const auto fresh = folder.path / "FORMAT.new";
  {
    std::ofstream out{fresh, std::ios::trunc};
    out << title << "\nformat " << format_version << "\n" << state << "\n";
    out.flush();
    if (!out) return failed("writing " + fresh.string(), errno);
  }
  auto synced = sync_path(fresh);
  if (!synced) return synced;
  std::error_code error;
  std::filesystem::rename(fresh, folder.format_file(), error);
  if (error) return failed("renaming " + fresh.string(), error.value());
  return sync_path(folder.path);
}

/// What `FORMAT` says about the state, when it is one that this program knows.
Result<std::string> read_state(const Folder& folder) {
  std::ifstream in{folder.format_file()};
  std::string first;
  std::string word;
  std::uint64_t version = 0;
  std::string state;
  std::getline(in, first);
  if (!in || first != title) {
    return Error{Fault::invalid, folder.format_file().string() + " does not describe a hub's store"};
  }
  in >> word >> version >> state;
  if (word != "format" || version == 0) {
    return Error{Fault::damaged, folder.format_file().string() + " is damaged"};
  }
  if (version > format_version) {
    return Error{Fault::invalid, "the store in " + folder.path.string() + " has format " +
                                     std::to_string(version) + ", this program knows formats up to " +
                                     std::to_string(format_version)};
  }
  if (state == backing_up) {
    return Error{Fault::damaged, folder.path.string() + " is a backup that was not finished"};
  }
  if (state != creating && state != complete && state != backup) {
    return Error{Fault::damaged, folder.format_file().string() + " is damaged"};
  }
  return state;
}

}  // namespace

Result<void> sync_path(const std::filesystem::path& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return failed("opening " + path.string(), errno);
  const int synced = ::fsync(file);
  const int error = errno;
  ::close(file);
  if (synced != 0) return failed("syncing " + path.string(), error);
  return {};
}

Result<FolderState> inspect(const Folder& folder) {
  std::error_code error;
  if (!std::filesystem::exists(folder.path, error)) {
    if (error) return failed("looking at " + folder.path.string(), error.value());
    return FolderState::fresh;
  }
  if (!std::filesystem::is_directory(folder.path, error)) {
    return Error{Fault::invalid, folder.path.string() + " is not a folder"};
  }
  if (!std::filesystem::exists(folder.format_file(), error)) {
    const bool empty = std::filesystem::is_empty(folder.path, error);
    if (error) return failed("looking at " + folder.path.string(), error.value());
    if (empty) return FolderState::fresh;
    return Error{Fault::invalid, folder.path.string() + " holds something else than a hub's store"};
  }
  const auto state = read_state(folder);
  if (!state) return state.error();
  if (*state == creating) return FolderState::fresh;
  if (!std::filesystem::exists(folder.database() / "CURRENT", error)) {
    return Error{Fault::damaged, "the store in " + folder.path.string() + " has lost its database"};
  }
  return *state == backup ? FolderState::backup : FolderState::complete;
}

Result<void> begin_creation(const Folder& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder.database(), error);
  if (error) return failed("creating " + folder.path.string(), error.value());
  return write_format(folder, creating);
}

Result<void> finish_creation(const Folder& folder) {
  return write_format(folder, complete);
}

Result<void> raise_format(const Folder& folder, FolderState state) {
  return write_format(folder, state == FolderState::backup ? backup : complete);
}

Result<void> begin_backup(const Folder& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder.path, error);
  if (!error) std::filesystem::permissions(folder.path, std::filesystem::perms::owner_all, error);
  if (error) return failed("creating " + folder.path.string(), error.value());
  return write_format(folder, backing_up);
}

Result<void> finish_backup(const Folder& folder) {
  return write_format(folder, backup);
}

bool in_use(const Folder& folder) {
  const int file = ::open((folder.database() / "LOCK").c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return false;
  struct flock lock {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  const bool locked = ::fcntl(file, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
  ::close(file);
  return locked;
}

}  // namespace dumpster::rocks
