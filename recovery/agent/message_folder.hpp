#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "dumpster/error.hpp"
#include "dumpster/instant.hpp"
#include "dumpster/uuid.hpp"

namespace recovery::agent {

/// How a mailbox server keeps a folder: one file for each message.
struct FolderShape {
  std::vector<std::string> directories;  ///< below the folder, in the order in which a message moves
  /// The part of a file's name that stays the same; empty: no message.
  std::string_view (*unique_part)(std::string_view name) = nullptr;
};

/// What is remembered of one message file, so that it is opened once.
struct KnownMessage {
  std::int64_t changed = 0;  ///< when its file changed before it was met, in seconds: it arrived no later
  dumpster::Uuid delivery;   ///< nil: it carries none
  bool read = false;         ///< false: passed over, since it was too old for the window then
};

/// What is remembered of one folder.
struct FolderMemory {
  std::unordered_map<std::uint64_t, KnownMessage> messages;  ///< by hash of the unique part of the name
  std::vector<std::int64_t> changed;                         ///< of the directories, in nanoseconds
  bool settled = false;  ///< nothing can have changed within the granularity of those times
};

/// Looks at one folder and calls `found` for each message with a delivery id that arrived since `oldest`.
/// Files met before are not opened again, and a folder whose directories have not changed is not even listed.
/// False when there is none of the directories. An error when anything cannot be read, or is not plain text
/// (compressed or encrypted by the mailbox server).
dumpster::Result<bool> look_at_folder(const std::string& path, const FolderShape& shape, FolderMemory& memory,
                                      dumpster::Instant oldest,
                                      const std::function<void(const dumpster::Uuid&)>& found);

/// What is remembered of all mailboxes, about 130 MB at the most: those that were not looked at for longest
/// are forgotten first.
class MailboxMemory {
 public:
  using Folders = std::map<std::string, FolderMemory>;

  /// Of this mailbox, to be worked with until the next call.
  Folders& of(const std::string& mailbox);
  /// The mailbox of the last `of` has been looked at.
  void count();

 private:
  struct Mailbox {
    std::string name;
    Folders folders;
    std::size_t messages = 0;
  };
  std::list<Mailbox> order_;  ///< the one looked at last is first
  std::unordered_map<std::string, std::list<Mailbox>::iterator> places_;
  std::size_t messages_ = 0;
};

}  // namespace recovery::agent
