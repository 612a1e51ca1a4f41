#pragma once

#include <string_view>
#include <variant>

#include "dumpster/delivery.hpp"
#include "relay/directory/next_hop.hpp"

namespace relay {

using Route = std::variant<dumpster::StorageGroup, NextHop>;

/// What stands in the directory under one key: an alias or a route. Valid for as long as its source.
struct RecipientEntry {
  std::string_view key;          ///< address or `@domain` in lower case
  std::string_view targets;      ///< of an alias: addresses separated by commas
  std::string_view mailbox;      ///< name in inventories; empty when it is the address
  const Route* route = nullptr;  ///< null for an alias
};

struct NoSuchEntry {};
struct EntryNotAtHand {};    ///< somebody has to be asked, and this source asks nobody
struct EntryUnavailable {};  ///< whoever was asked cannot say now

using EntryAnswer = std::variant<NoSuchEntry, RecipientEntry, EntryNotAtHand, EntryUnavailable>;

/// Where the entries of a directory come from: a file's table, or a server and what is remembered of it.
class RecipientSource {
 public:
  virtual ~RecipientSource() = default;
  /// `key` as `key_of` makes it, or `@domain`.
  virtual EntryAnswer find(std::string_view key) = 0;
};

}  // namespace relay
