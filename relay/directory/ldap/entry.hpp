#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "relay/directory/ldap/settings.hpp"
#include "relay/directory/recipient_source.hpp"

namespace relay::ldap {

/// One entry as the server gave it: values by the attribute's name in lower case.
using AttributeValues = std::map<std::string, std::vector<std::string>>;

/// What a server says of a key, kept.
struct KnownEntry {
  std::string key;
  std::string targets;  ///< of an alias, as in `RecipientEntry`
  std::string mailbox;
  std::optional<Route> route;
  bool faulty = false;  ///< what the server has cannot be used: the directory cannot say

  RecipientEntry view() const { return {key, targets, mailbox, route ? &*route : nullptr}; }
};

/// Why an entry cannot be used.
struct EntryFault {
  std::string text;
};

/// The entry that was found for `key`.
///
/// One with values of the alias attribute is an alias for them. One whose own address is not the key was
/// found by another of its addresses: an alias for its own. Any other needs exactly one way: a configured
/// storage group or a next hop, or the default storage group when it names none.
std::variant<KnownEntry, EntryFault> entry_from(std::string_view key, const AttributeValues& values,
                                                const Settings& settings);

}  // namespace relay::ldap
