#include "recovery/agent/cyrus_inventory.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

#include "recovery/agent/cyrus_tools.hpp"
#include "recovery/agent/message_folder.hpp"

namespace recovery::agent {
namespace {

using dumpster::Result;

/// Message files are `NUMBER.`.
std::string_view message_number(std::string_view name) {
  const bool is_number =
      name.size() > 1 && name.ends_with('.') && name.find_first_not_of("0123456789") == name.size() - 1;
  return is_number ? name : std::string_view{};
}

const FolderShape& cyrus_shape() {
  static const FolderShape shape{{""}, message_number};
  return shape;
}

/// The state of the mailboxes' database, by which a change shows.
struct Stamp {
  std::int64_t seconds = 0;
  std::int64_t nanoseconds = 0;
  std::int64_t size = -1;

  bool operator==(const Stamp&) const = default;
};

Stamp stamp_of(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return {};
  return {status.st_mtim.tv_sec, status.st_mtim.tv_nsec, status.st_size};
}

class CyrusInventory final : public InventorySource {
 public:
  CyrusInventory(std::string configuration, const std::atomic<bool>* stop)
      : tools_(std::move(configuration), stop), stop_(stop) {}

  Result<Inventory> take(const std::set<std::string>& mailboxes, dumpster::Instant window_start) override {
    // Far enough back that a clock which was wrong for a while hides nothing.
    const dumpster::Instant oldest = window_start - std::chrono::hours{24};
    if (const auto known = refresh(); !known) return known.error();
    Inventory inventory;
    if (const auto found = find_paths(mailboxes, inventory); !found) return found.error();
    for (const std::string& mailbox : mailboxes) {
      if (stop_ != nullptr && *stop_) return dumpster::Error{dumpster::Fault::unavailable, "interrupted"};
      if (inventory.unknown().contains(mailbox)) continue;
      if (const auto looked = look(mailbox, inventory, oldest); !looked) return looked.error();
    }
    return inventory;
  }

  Result<std::optional<std::set<std::string>>> mailboxes() override {
    if (const auto known = refresh(); !known) return known.error();
    std::set<std::string> all;
    for (const auto& [user, folders] : folders_)
      all.insert(user);
    return std::optional{std::move(all)};
  }

 private:
  /// Reads the list of folders again when Cyrus has changed it.
  Result<void> refresh() {
    if (!settings_) {
      auto settings = tools_.settings();
      if (!settings) return settings.error();
      settings_ = std::move(*settings);
    }
    const Stamp stamp = stamp_of(settings_->mailbox_list);
    if (stamp.size >= 0 && stamp == stamp_) return {};
    auto folders = tools_.folders(settings_->separator);
    if (!folders) return folders.error();
    folders_ = std::move(*folders);
    paths_.clear();
    stamp_ = stamp;
    return {};
  }

  /// The folders of a mailbox; null when Cyrus does not know it. The default domain may be left out.
  const std::vector<std::string>* folders_of(const std::string& mailbox) const {
    const auto exact = folders_.find(mailbox);
    if (exact != folders_.end()) return &exact->second;
    const std::size_t at = mailbox.rfind('@');
    if (at == std::string::npos || mailbox.substr(at + 1) != settings_->default_domain) return nullptr;
    const auto local = folders_.find(mailbox.substr(0, at));
    return local == folders_.end() ? nullptr : &local->second;
  }

  Result<void> find_paths(const std::set<std::string>& mailboxes, Inventory& inventory) {
    std::vector<std::string> names;
    for (const std::string& mailbox : mailboxes) {
      const auto* folders = folders_of(mailbox);
      if (folders == nullptr) {
        inventory.set_unknown(mailbox, "Cyrus knows no such user");
        continue;
      }
      std::copy_if(folders->begin(), folders->end(), std::back_inserter(names),
                   [this](const std::string& folder) { return !paths_.contains(folder); });
    }
    const auto paths = tools_.paths(names);
    if (!paths) return paths.error();
    for (std::size_t i = 0; i < names.size(); ++i)
      paths_[names[i]] = (*paths)[i];
    return {};
  }

  Result<void> look(const std::string& mailbox, Inventory& inventory, dumpster::Instant oldest) {
    MailboxMemory::Folders& known = memory_.of(mailbox);
    MailboxMemory::Folders before = std::exchange(known, {});
    for (const std::string& folder : *folders_of(mailbox)) {
      FolderMemory& memory = known[folder];
      memory = std::move(before[folder]);
      const std::string& path = paths_.at(folder);
      const auto looked = look_at_folder(path, cyrus_shape(), memory, oldest,
                                         [&](const auto& delivery) { inventory.add(mailbox, delivery); });
      if (!looked) return looked.error();
      if (!*looked) return dumpster::Error{dumpster::Fault::unavailable, path + " is not there"};
    }
    memory_.count();
    return {};
  }

  CyrusTools tools_;
  const std::atomic<bool>* stop_;
  std::optional<CyrusSettings> settings_;
  CyrusFolders folders_;
  std::unordered_map<std::string, std::string> paths_;
  Stamp stamp_;
  MailboxMemory memory_;
};

}  // namespace

std::unique_ptr<InventorySource> make_cyrus_inventory(std::string configuration,
                                                      const std::atomic<bool>* stop) {
  return std::make_unique<CyrusInventory>(std::move(configuration), stop);
}

std::string cyrus_store(const std::string& configuration) {
  const auto settings = CyrusTools{configuration, nullptr}.settings();
  return settings ? settings->store : std::string{};
}

}  // namespace recovery::agent
