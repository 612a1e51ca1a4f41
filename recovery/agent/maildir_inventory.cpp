#include "recovery/agent/maildir_inventory.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <optional>
#include <vector>

#include "recovery/agent/delivery_id_field.hpp"

namespace recovery::agent {
namespace {

using dumpster::Error;
using dumpster::Fault;
using dumpster::Result;

constexpr std::size_t header_limit = 64 << 10;

Error failure(const std::string& path, int error) {
  return {Fault::unavailable, path + " cannot be read: " + std::strerror(error)};
}

/// The names in a directory, without `.` and `..`; nothing when it does not exist.
Result<std::optional<std::vector<std::string>>> names_in(const std::string& path) {
  const std::unique_ptr<DIR, int (*)(DIR*)> directory{::opendir(path.c_str()), ::closedir};
  if (!directory) {
    if (errno == ENOENT || errno == ENOTDIR) return std::optional<std::vector<std::string>>{};
    return failure(path, errno);
  }
  std::vector<std::string> names;
  for (;;) {
    errno = 0;
    const dirent* entry = ::readdir(directory.get());
    if (entry == nullptr) break;
    const std::string_view name{entry->d_name};
    if (name != "." && name != "..") names.emplace_back(name);
  }
  if (errno != 0) return failure(path, errno);
  return std::optional{std::move(names)};
}

bool is_directory(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

bool is_mailbox_name(std::string_view name) {
  return !name.empty() && name != "." && name != ".." && name.size() <= 255 &&
         name.find_first_of(std::string_view{"/\0", 2}) == std::string_view::npos;
}

/// The beginning of what mailbox servers write in place of plain mail.
bool is_packed(std::string_view text) {
  using namespace std::string_view_literals;
  for (const std::string_view magic : {"\x1f\x8b"sv, "BZh"sv, "\x28\xb5\x2f\xfd"sv,
                                       "\xfd"
                                       "7zXZ"sv,
                                       "Dovecot-LZ4"sv, "CRYPTED\x03\x07"sv}) {
    if (text.starts_with(magic)) return true;
  }
  return false;
}

bool header_ends_in(std::string_view text) {
  return text.find("\n\n") != std::string_view::npos || text.find("\n\r\n") != std::string_view::npos;
}

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

/// One look at one mailbox.
class MailboxLook {
 public:
  MailboxLook(const std::string& mailbox, Inventory& inventory, dumpster::Instant oldest)
      : mailbox_(mailbox), inventory_(inventory), oldest_(oldest) {}

  /// `new` before `cur`: the way a message moves. Whether there was one of the two.
  Result<bool> folder(const std::string& path) {
    seen_.clear();
    const auto fresh = messages(path + "/new");
    if (!fresh) return fresh.error();
    const auto current = messages(path + "/cur");
    if (!current) return current.error();
    return *fresh || *current;
  }

 private:
  /// Whether the directory is there. A message that vanishes under the look has moved or been renamed: look
  /// again.
  Result<bool> messages(const std::string& path) {
    constexpr int most_looks = 10;
    bool vanished = true;
    for (int look = 0; vanished && look < most_looks; ++look) {
      const auto names = names_in(path);
      if (!names) return names.error();
      if (!*names) return false;
      vanished = false;
      for (const std::string& name : **names) {
        const std::string unique = name.substr(0, name.find(":2,"));
        if (name.starts_with('.') || seen_.contains(unique)) continue;
        const auto found = message(path + "/" + name);
        if (!found) return found.error();
        if (*found) {
          seen_.insert(unique);
        } else {
          vanished = true;
        }
      }
    }
    return true;
  }

  /// Counts one message; false when it is not there any more.
  Result<bool> message(const std::string& path) {
    const Descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
    if (file.get() < 0 && errno == ENOENT) return false;
    if (file.get() < 0) return failure(path, errno);
    struct stat status {};
    if (::fstat(file.get(), &status) != 0) return failure(path, errno);
    if (!S_ISREG(status.st_mode)) return true;
    // The change time cannot be set from outside: it is not before the message's arrival on this node.
    if (dumpster::Instant{std::chrono::seconds{status.st_ctim.tv_sec}} < oldest_) return true;
    std::string text;
    if (!read_header(file.get(), text)) return failure(path, errno);
    if (is_packed(text)) {
      return Error{Fault::unavailable,
                   path + " is compressed or encrypted: only its mailbox server can list it"};
    }
    if (const auto id = delivery_id_in_header(text)) inventory_.add(mailbox_, *id);
    return true;
  }

  static bool read_header(int fd, std::string& text) {
    constexpr std::size_t step = 4096;
    while (text.size() < header_limit && !header_ends_in(text)) {
      const std::size_t before = text.size();
      text.resize(before + step);
      const ssize_t count = ::read(fd, text.data() + before, step);
      text.resize(before + (count > 0 ? static_cast<std::size_t>(count) : 0));
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) return false;
      if (count == 0) break;
    }
    return true;
  }

  const std::string& mailbox_;
  Inventory& inventory_;
  dumpster::Instant oldest_;
  std::set<std::string, std::less<>>
      seen_;  ///< names without flags: one message, however it is flagged meanwhile
};

class MaildirInventory final : public InventorySource {
 public:
  explicit MaildirInventory(std::string path) : path_(std::move(path)) {}

  Result<Inventory> take(const std::set<std::string>& mailboxes, dumpster::Instant window_start) override {
    // Far enough back that a clock which was wrong for a while hides nothing.
    const dumpster::Instant oldest = window_start - std::chrono::hours{24};
    if (const auto readable = check_path(); !readable) return readable.error();
    Inventory inventory;
    for (const std::string& mailbox : mailboxes) {
      if (!is_mailbox_name(mailbox)) {
        inventory.set_unknown(mailbox, "its name is not that of a directory");
        continue;
      }
      if (const auto looked = look(mailbox, inventory, oldest); !looked) return looked.error();
    }
    return inventory;
  }

 private:
  Result<void> check_path() const {
    const auto names = names_in(path_);
    if (!names) return names.error();
    if (!*names) return failure(path_, ENOENT);
    return {};
  }

  Result<void> look(const std::string& mailbox, Inventory& inventory, dumpster::Instant oldest) const {
    const std::string path = path_ + "/" + mailbox;
    MailboxLook mailbox_look{mailbox, inventory, oldest};
    const auto names = names_in(path);
    if (!names) return names.error();
    if (!*names) return {};
    const auto inbox = mailbox_look.folder(path);
    if (!inbox) return inbox.error();
    bool any = *inbox;
    for (const std::string& name : **names) {
      if (!name.starts_with('.') || !is_directory(path + "/" + name)) continue;
      const auto folder = mailbox_look.folder(path + "/" + name);
      if (!folder) return folder.error();
      any = any || *folder;
    }
    if (!any) inventory.set_unknown(mailbox, "its directory is not a maildir");
    return {};
  }

  std::string path_;
};

}  // namespace

std::unique_ptr<InventorySource> make_maildir_inventory(std::string path) {
  return std::make_unique<MaildirInventory>(std::move(path));
}

}  // namespace recovery::agent
