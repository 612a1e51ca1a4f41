#include "dumpster/rocksdb/backup.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <vector>

namespace dumpster::rocks {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t piece = std::size_t{1} << 20U;

Error failed(const std::string& doing, int error) {
  return {Fault::unavailable, doing + ": " + std::strerror(error)};
}

Result<void> check_target(const fs::path& to) {
  if (!to.is_absolute()) return Error{Fault::invalid, "the path of a backup has to be absolute"};
  std::error_code error;
  if (!fs::exists(to, error)) return {};
  if (fs::is_directory(to, error) && fs::is_empty(to, error)) return {};
  return Error{Fault::conflict, to.string() + " is there already"};
}

/// A folder that goes unless it is kept.
class Unfinished {
 public:
  explicit Unfinished(fs::path path) : path_(std::move(path)) {}
  ~Unfinished() {
    std::error_code ignored;
    if (!kept_) fs::remove_all(path_, ignored);
  }
  Unfinished(const Unfinished&) = delete;
  Unfinished& operator=(const Unfinished&) = delete;
  void keep() { kept_ = true; }

 private:
  const fs::path path_;
  bool kept_ = false;
};

class File {
 public:
  File(const fs::path& path, int flags) : handle_(::open(path.c_str(), flags | O_CLOEXEC, 0600)) {}
  ~File() {
    if (handle_ >= 0) ::close(handle_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  int handle() const { return handle_; }

 private:
  const int handle_;
};

bool write_all(int file, const char* bytes, std::size_t size) {
  while (size > 0) {
    const auto written = ::write(file, bytes, size);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    bytes += written;
    size -= static_cast<std::size_t>(written);
  }
  return true;
}

Result<void> copy_synced(const fs::path& from, const fs::path& to, const std::atomic<bool>& cancelled) {
  const File in{from, O_RDONLY};
  if (in.handle() < 0) return failed("opening " + from.string(), errno);
  const File out{to, O_WRONLY | O_CREAT | O_EXCL};
  if (out.handle() < 0) return failed("creating " + to.string(), errno);
  std::vector<char> bytes(piece);
  while (true) {
    if (cancelled) return Error{Fault::unavailable, "the backup was broken off, since the store is closed"};
    const auto got = ::read(in.handle(), bytes.data(), bytes.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return failed("reading " + from.string(), errno);
    if (got == 0) break;
    if (!write_all(out.handle(), bytes.data(), static_cast<std::size_t>(got)))
      return failed("writing " + to.string(), errno);
  }
  if (::fsync(out.handle()) != 0) return failed("syncing " + to.string(), errno);
  return {};
}

Result<void> bring_over(const fs::path& from, const fs::path& to, const std::atomic<bool>& cancelled) {
  if (::link(from.c_str(), to.c_str()) == 0) return sync_path(to);
  if (errno != EXDEV && errno != EPERM && errno != EOPNOTSUPP && errno != EMLINK)
    return failed("linking " + to.string(), errno);
  return copy_synced(from, to, cancelled);
}

Result<BackupMade> bring_all_over(const fs::path& from, const fs::path& to,
                                  const std::atomic<bool>& cancelled) {
  BackupMade made;
  std::error_code error;
  fs::create_directory(to, error);
  if (error) return failed("creating " + to.string(), error.value());
  for (fs::directory_iterator at{from, error}; !error && at != fs::directory_iterator{};
       at.increment(error)) {
    const auto brought = bring_over(at->path(), to / at->path().filename(), cancelled);
    if (!brought) return brought.error();
    ++made.files;
    made.bytes += at->file_size(error);
  }
  if (error) return failed("reading " + from.string(), error.value());
  const auto synced = sync_path(to);
  if (!synced) return synced.error();
  return made;
}

}  // namespace

void Checkpoint::remove() {
  std::error_code ignored;
  fs::remove_all(folder_, ignored);
}

Result<void> Checkpoint::make(const Database& database) {
  std::error_code error;
  fs::create_directory(folder_, error);
  if (error) return failed("creating " + folder_.string(), error.value());
  const auto use = database.use();
  if (!use) return Error{Fault::unavailable, "the store is being opened again"};
  const auto status = database.checkpoint(this->database());
  if (!status.ok()) return error_from(status, "making a checkpoint");
  return {};
}

Result<BackupMade> make_backup(const Database& database, const Folder& store, const fs::path& to,
                               const std::atomic<bool>& cancelled) {
  const auto checked = check_target(to);
  if (!checked) return checked.error();
  Checkpoint checkpoint{store};
  const auto linked = checkpoint.make(database);
  if (!linked) return linked.error();
  const Folder folder{to};
  Unfinished unfinished{to};
  const auto begun = begin_backup(folder);
  if (!begun) return begun.error();
  auto made = bring_all_over(checkpoint.database(), folder.database(), cancelled);
  if (!made) return made.error();
  const auto finished = finish_backup(folder);
  if (!finished) return finished.error();
  unfinished.keep();
  return made;
}

}  // namespace dumpster::rocks
