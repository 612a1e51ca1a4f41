#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>

#include "dumpster/error.hpp"
#include "dumpster/instant.hpp"
#include "dumpster/uuid.hpp"

namespace recovery::agent {

/// What a node has: mailbox and delivery id, with the number of copies.
class Inventory {
 public:
  void add(const std::string& mailbox, const dumpster::Uuid& delivery) { ++copies_[{mailbox, delivery}]; }

  std::uint32_t copies(const std::string& mailbox, const dumpster::Uuid& delivery) const {
    const auto found = copies_.find({mailbox, delivery});
    return found == copies_.end() ? 0 : found->second;
  }

  std::size_t size() const { return copies_.size(); }

  /// Adds what another look found in other mailboxes.
  void merge(const Inventory& other) {
    for (const auto& [key, copies] : other.copies_)
      copies_[key] += copies;
    unknown_.insert(other.unknown_.begin(), other.unknown_.end());
    nowhere_.insert(other.nowhere_.begin(), other.nowhere_.end());
  }

  /// Calls `see(mailbox, delivery, copies)` for all that is there.
  template <class See>
  void each(See see) const {
    for (const auto& [key, copies] : copies_)
      see(key.mailbox, key.delivery, copies);
  }

  /// This mailbox could not be looked at, and nothing is to be decided about it; the others stand.
  void set_unknown(const std::string& mailbox, std::string reason) { unknown_[mailbox] = std::move(reason); }
  const std::map<std::string, std::string>& unknown() const { return unknown_; }

  /// The node has no such mailbox: it is new, was renamed, or its mail goes elsewhere. It counts as empty.
  void set_nowhere(const std::string& mailbox) { nowhere_.insert(mailbox); }
  const std::set<std::string>& nowhere() const { return nowhere_; }

 private:
  struct Key {
    std::string mailbox;
    dumpster::Uuid delivery;

    bool operator==(const Key&) const = default;
  };
  struct Hash {
    std::size_t operator()(const Key& key) const noexcept {
      return std::hash<std::string>{}(key.mailbox) * 31 + std::hash<dumpster::Uuid>{}(key.delivery);
    }
  };
  std::unordered_map<Key, std::uint32_t, Hash> copies_;
  std::map<std::string, std::string> unknown_;
  std::set<std::string> nowhere_;
};

/// How the agent finds out what its node has. An inventory that cannot be taken in full is an error, never a
/// smaller inventory: what it does not show is delivered again.
class InventorySource {
 public:
  virtual ~InventorySource() = default;

  /// Looks at these mailboxes for what has arrived since `window_start`; what is older may or may not be in
  /// it.
  virtual dumpster::Result<Inventory> take(const std::set<std::string>& mailboxes,
                                           dumpster::Instant window_start) = 0;

  /// The names of all mailboxes that the node has; nothing when this source cannot tell.
  virtual dumpster::Result<std::optional<std::set<std::string>>> mailboxes() {
    return std::optional<std::set<std::string>>{};
  }
};

}  // namespace recovery::agent
