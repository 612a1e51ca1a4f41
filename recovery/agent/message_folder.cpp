#include "recovery/agent/message_folder.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <ctime>
#include <optional>
#include <utility>

#include "recovery/agent/delivery_id_field.hpp"
#include "recovery/agent/directory.hpp"
#include "recovery/agent/durable_file.hpp"

namespace recovery::agent {
namespace {

using dumpster::Error;
using dumpster::Fault;
using dumpster::Result;

constexpr std::size_t header_limit = 64 << 10;
constexpr int most_looks = 10;

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

bool read_header(int fd, std::string& text) {
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

std::int64_t seconds_of(dumpster::Instant instant) {
  return std::chrono::floor<std::chrono::seconds>(instant.time_since_epoch()).count();
}

/// When the directory changed, in nanoseconds; 0 when it is not there.
std::int64_t change_of(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return 0;
  return std::int64_t{status.st_mtim.tv_sec} * 1'000'000'000 + status.st_mtim.tv_nsec;
}

/// One message; nothing when it is not there any more.
Result<std::optional<KnownMessage>> read_message(const std::string& path, std::int64_t oldest) {
  const Descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
  if (file.get() < 0 && errno == ENOENT) return std::optional<KnownMessage>{};
  struct stat status {};
  if (file.get() < 0 || ::fstat(file.get(), &status) != 0) return unreadable(path, errno);
  KnownMessage message;
  // The change time cannot be set from outside: it is not before the message's arrival on this node.
  message.changed = status.st_ctim.tv_sec;
  if (message.changed < oldest) return std::optional{message};
  message.read = true;
  if (!S_ISREG(status.st_mode)) return std::optional{message};
  std::string text;
  if (!read_header(file.get(), text)) return unreadable(path, errno);
  if (is_packed(text)) {
    return Error{Fault::unavailable,
                 path + " is compressed or encrypted: only its mailbox server can list it"};
  }
  message.delivery = delivery_id_in_header(text).value_or(dumpster::Uuid{});
  return std::optional{message};
}

class FolderLook {
 public:
  FolderLook(const std::string& path, const FolderShape& shape, FolderMemory& memory,
             dumpster::Instant oldest)
      : shape_(shape), memory_(memory), oldest_(seconds_of(oldest)) {
    for (const std::string& directory : shape.directories)
      directories_.push_back(directory.empty() ? path : path + "/" + directory);
  }

  /// Whether one of the directories is there.
  Result<bool> run() {
    for (int look = 0; look < most_looks; ++look) {
      std::vector<std::int64_t> changed = changes();
      if (remembered(changed)) return true;
      const std::int64_t now = nanoseconds_now();
      seen_.clear();
      vanished_ = false;
      bool any = false;
      for (const std::string& directory : directories_) {
        const auto there = look_at(directory);
        if (!there) return there.error();
        any = any || *there;
      }
      if (!any) return false;
      memory_.messages = std::exchange(seen_, {});
      constexpr std::int64_t granularity = 2'000'000'000;
      // What moved or was renamed under the look may have been missed.
      const bool moved = vanished_ || changes() != changed;
      memory_.settled = !moved && *std::max_element(changed.begin(), changed.end()) < now - granularity;
      memory_.changed = std::move(changed);
      if (!moved) return true;
    }
    return true;
  }

 private:
  static std::int64_t nanoseconds_now() {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(
               std::chrono::system_clock::now().time_since_epoch())
        .count();
  }

  std::vector<std::int64_t> changes() const {
    std::vector<std::int64_t> changed;
    for (const std::string& directory : directories_)
      changed.push_back(change_of(directory));
    return changed;
  }

  bool remembered(const std::vector<std::int64_t>& changed) const {
    if (!memory_.settled || changed != memory_.changed) return false;
    return std::all_of(memory_.messages.begin(), memory_.messages.end(), [this](const auto& entry) {
      return entry.second.read || entry.second.changed < oldest_;
    });
  }

  /// Whether it is there.
  Result<bool> look_at(const std::string& directory) {
    const auto names = names_in(directory);
    if (!names) return names.error();
    if (!*names) return false;
    for (const std::string& name : **names) {
      const std::string_view part = shape_.unique_part(name);
      const std::uint64_t unique = std::hash<std::string_view>{}(part);
      if (part.empty() || seen_.contains(unique)) continue;
      const auto known = memory_.messages.find(unique);
      if (known != memory_.messages.end() && (known->second.read || known->second.changed < oldest_)) {
        seen_.insert(*known);
        continue;
      }
      const auto message = read_message(directory + "/" + name, oldest_);
      if (!message) return message.error();
      if (*message) {
        seen_.emplace(unique, **message);
      } else {
        vanished_ = true;
      }
    }
    return true;
  }

  const FolderShape& shape_;
  FolderMemory& memory_;
  std::int64_t oldest_;
  std::vector<std::string> directories_;
  std::unordered_map<std::uint64_t, KnownMessage> seen_;
  bool vanished_ = false;
};

}  // namespace

Result<bool> look_at_folder(const std::string& path, const FolderShape& shape, FolderMemory& memory,
                            dumpster::Instant oldest,
                            const std::function<void(const dumpster::Uuid&)>& found) {
  const auto looked = FolderLook{path, shape, memory, oldest}.run();
  if (!looked || !*looked) return looked;
  for (const auto& [name, message] : memory.messages) {
    if (message.read && !message.delivery.is_nil()) found(message.delivery);
  }
  return true;
}

MailboxMemory::Folders& MailboxMemory::of(const std::string& mailbox) {
  const auto known = places_.find(mailbox);
  if (known != places_.end()) {
    order_.splice(order_.begin(), order_, known->second);
  } else {
    order_.push_front({mailbox, {}, 0});
    places_[mailbox] = order_.begin();
  }
  return order_.front().folders;
}

void MailboxMemory::count() {
  constexpr std::size_t most_messages = 2'000'000;
  Mailbox& mailbox = order_.front();
  messages_ -= mailbox.messages;
  mailbox.messages = 0;
  for (const auto& [name, folder] : mailbox.folders)
    mailbox.messages += folder.messages.size();
  messages_ += mailbox.messages;
  while (messages_ > most_messages && order_.size() > 1) {
    messages_ -= order_.back().messages;
    places_.erase(order_.back().name);
    order_.pop_back();
  }
}

}  // namespace recovery::agent
