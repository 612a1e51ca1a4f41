#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "dumpster/error.hpp"
#include "dumpster/instant.hpp"
#include "dumpster/uuid.hpp"

namespace recovery::agent {

using dumpster::Instant;

/// What has been confirmed, as a comparison asks for it.
class Confirmations {
 public:
  virtual ~Confirmations() = default;
  /// How many copies of the delivery were once seen in the mailbox.
  virtual std::uint32_t copies(std::string_view mailbox, const dumpster::Uuid& delivery) const = 0;
};

/// One dumpster as the agent knows it: the address of a hub, and a storage group.
struct DumpsterName {
  std::string hub;
  std::string group;

  auto operator<=>(const DumpsterName&) const = default;
};

/// How far one dumpster has been followed, in its hub's time.
struct Watermark {
  Instant low{};             ///< every delivery before is confirmed, absent or gone: windows start here
  Instant cursor{};          ///< listed up to here
  Instant since{};           ///< deliveries to the own node before this are not called absent; 0: none is
  Instant last_confirmed{};  ///< the latest delivery that was confirmed; 0: none
  Instant evicted_until{};   ///< what left the dumpster unconfirmed was delivered up to here; 0: nothing
  std::uint64_t unconfirmed = 0;  ///< deliveries

  bool operator==(const Watermark&) const = default;
};

/// What this node's mail store has been seen to hold, under one marker. A delivery that stands here never
/// counts as missing again, so mail that its reader has deleted since is not brought back. Not thread-safe.
class Ledger final : public Confirmations {
 public:
  explicit Ledger(std::string marker) : marker_(std::move(marker)) {}

  struct Entry {
    DumpsterName dumpster;
    Instant at{};  ///< of delivery, in the hub's time
    std::string mailbox;
    dumpster::Uuid delivery;
    std::uint32_t copies = 0;
  };

  const std::string& marker() const { return marker_; }

  /// Remembers the most copies that were ever seen.
  void confirm(const Entry& entry);
  std::uint32_t copies(std::string_view mailbox, const dumpster::Uuid& delivery) const override;
  /// Where and when the delivery was confirmed; nothing when it was not.
  std::optional<std::pair<DumpsterName, Instant>> place_of(std::string_view mailbox,
                                                           const dumpster::Uuid& delivery) const;

  const std::map<DumpsterName, Watermark>& watermarks() const { return watermarks_; }
  const Watermark* watermark(const DumpsterName& dumpster) const;
  void set_watermark(const DumpsterName& dumpster, const Watermark& watermark);

  std::size_t size() const { return confirmed_.size(); }
  /// Calls `see` for each entry, in no order.
  template <class See>
  void each(See see) const {
    for (const auto& [key, value] : confirmed_) {
      see(Entry{dumpsters_[value.dumpster], value.at, mailboxes_[key.mailbox], key.delivery, value.copies});
    }
  }

  /// Drops entries of the dumpster from before `keep_from`, and then the oldest of all over `most`. What is
  /// dropped is looked for again when a window reaches back to it: a copy too many rather than one too few.
  void forget(const std::map<DumpsterName, Instant>& keep_from, std::size_t most);

 private:
  struct Key {
    std::uint32_t mailbox = 0;
    dumpster::Uuid delivery;
    bool operator==(const Key&) const = default;
  };
  struct Hash {
    std::size_t operator()(const Key& key) const noexcept {
      return std::hash<dumpster::Uuid>{}(key.delivery) * 31 + key.mailbox;
    }
  };
  struct Value {
    Instant at{};
    std::uint32_t dumpster = 0;
    std::uint32_t copies = 0;
  };
  struct TextHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const noexcept {
      return std::hash<std::string_view>{}(text);
    }
  };

  std::optional<Key> key_of(std::string_view mailbox, const dumpster::Uuid& delivery) const;
  std::uint32_t number_of_mailbox(const std::string& mailbox);
  std::uint32_t number_of_dumpster(const DumpsterName& dumpster);

  std::string marker_;
  std::unordered_map<Key, Value, Hash> confirmed_;
  std::unordered_map<std::string, std::uint32_t, TextHash, std::equal_to<>> mailbox_numbers_;
  std::vector<std::string> mailboxes_;
  std::map<DumpsterName, std::uint32_t> dumpster_numbers_;
  std::vector<DumpsterName> dumpsters_;
  std::map<DumpsterName, Watermark> watermarks_;
};

/// Keeps a ledger.
class LedgerStore {
 public:
  virtual ~LedgerStore() = default;
  /// The ledger of this marker as it was saved last, by whatever process; an empty one when what is kept is
  /// of another marker. The reference holds until the next call.
  virtual dumpster::Result<Ledger*> open(const std::string& marker) = 0;
  /// Adds to the opened ledger and remembers what has to be written.
  virtual void confirm(const Ledger::Entry& entry) = 0;
  virtual void set_watermark(const DumpsterName& dumpster, const Watermark& watermark) = 0;
  /// Returns when all of that is durable.
  virtual dumpster::Result<void> save() = 0;
  /// Drops what `Ledger::forget` drops, and makes the file small again.
  virtual dumpster::Result<void> compact(const std::map<DumpsterName, Instant>& keep_from,
                                         std::size_t most) = 0;
};

/// The file `ledger` in a directory (format in `ledger_file.cpp`). For whoever holds the directory's lock.
std::unique_ptr<LedgerStore> make_ledger_file(const std::string& directory);

}  // namespace recovery::agent
