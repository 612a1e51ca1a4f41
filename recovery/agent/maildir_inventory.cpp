#include "recovery/agent/maildir_inventory.hpp"

#include <cerrno>
#include <chrono>
#include <string_view>
#include <utility>

#include "recovery/agent/directory.hpp"
#include "recovery/agent/message_folder.hpp"

namespace recovery::agent {
namespace {

using dumpster::Result;

bool is_mailbox_name(std::string_view name) {
  return !name.empty() && name != "." && name != ".." && name.size() <= 255 &&
         name.find_first_of(std::string_view{"/\0", 2}) == std::string_view::npos;
}

/// A name without its flags: one message, however it is flagged meanwhile.
std::string_view without_flags(std::string_view name) {
  return name.starts_with('.') ? std::string_view{} : name.substr(0, name.find(":2,"));
}

const FolderShape& maildir_shape() {
  static const FolderShape shape{{"new", "cur"}, without_flags};
  return shape;
}

class MaildirInventory final : public InventorySource {
 public:
  MaildirInventory(std::string path, const std::atomic<bool>* stop) : path_(std::move(path)), stop_(stop) {}

  Result<Inventory> take(const std::set<std::string>& mailboxes, dumpster::Instant window_start) override {
    // Far enough back that a clock which was wrong for a while hides nothing.
    const dumpster::Instant oldest = window_start - std::chrono::hours{24};
    const auto all = names_in(path_);
    if (!all) return all.error();
    if (!*all) return unreadable(path_, ENOENT);
    Inventory inventory;
    for (const std::string& mailbox : mailboxes) {
      if (stop_ != nullptr && *stop_) return dumpster::Error{dumpster::Fault::unavailable, "interrupted"};
      if (!is_mailbox_name(mailbox)) {
        inventory.set_unknown(mailbox, "its name is not that of a directory");
        continue;
      }
      if (const auto looked = look(mailbox, inventory, oldest); !looked) return looked.error();
    }
    return inventory;
  }

  Result<std::optional<std::set<std::string>>> mailboxes() override {
    const auto names = names_in(path_);
    if (!names) return names.error();
    if (!*names) return unreadable(path_, ENOENT);
    std::set<std::string> all;
    for (const std::string& name : **names) {
      if (!name.starts_with('.') && is_directory(path_ + "/" + name)) all.insert(name);
    }
    return std::optional{std::move(all)};
  }

 private:
  Result<void> look(const std::string& mailbox, Inventory& inventory, dumpster::Instant oldest) {
    const std::string path = path_ + "/" + mailbox;
    const auto names = names_in(path);
    if (!names) return names.error();
    if (!*names) {
      inventory.set_nowhere(mailbox);
      return {};
    }
    MailboxMemory::Folders& known = memory_.of(mailbox);
    MailboxMemory::Folders before = std::exchange(known, {});
    bool any = false;
    const auto look_at = [&](const std::string& folder) -> Result<void> {
      FolderMemory& memory = known[folder];
      memory = std::move(before[folder]);
      const auto looked =
          look_at_folder(folder.empty() ? path : path + "/" + folder, maildir_shape(), memory, oldest,
                         [&](const auto& delivery) { inventory.add(mailbox, delivery); });
      if (!looked) return looked.error();
      any = any || *looked;
      return {};
    };
    if (const auto inbox = look_at(""); !inbox) return inbox.error();
    for (const std::string& name : **names) {
      if (!name.starts_with('.') || !is_directory(path + "/" + name)) continue;
      if (const auto folder = look_at(name); !folder) return folder.error();
    }
    memory_.count();
    if (!any) inventory.set_unknown(mailbox, "its directory is not a maildir");
    return {};
  }

  std::string path_;
  const std::atomic<bool>* stop_;
  MailboxMemory memory_;
};

}  // namespace

std::unique_ptr<InventorySource> make_maildir_inventory(std::string path, const std::atomic<bool>* stop) {
  return std::make_unique<MaildirInventory>(std::move(path), stop);
}

}  // namespace recovery::agent
