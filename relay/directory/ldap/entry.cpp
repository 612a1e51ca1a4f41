#include "relay/directory/ldap/entry.hpp"

#include <algorithm>

#include "relay/directory/address.hpp"
#include "relay/directory/recipients_line.hpp"

namespace relay::ldap {
namespace {

using Made = std::variant<KnownEntry, EntryFault>;

const std::vector<std::string>& values_of(const AttributeValues& values, const std::string& attribute) {
  static const std::vector<std::string> none;
  if (attribute.empty()) return none;
  const auto found = values.find(lower_case(attribute));
  return found == values.end() ? none : found->second;
}

bool readable(std::string_view text) {
  return !text.empty() && text.size() <= 1024 && std::none_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte == 0x7f;
  });
}

Made alias_for(KnownEntry entry, const std::vector<std::string>& targets) {
  for (const auto& target : targets) {
    if (!address_from(target)) return EntryFault{"its target \"" + target + "\" is not an address"};
    if (!entry.targets.empty()) entry.targets += ',';
    entry.targets += target;
  }
  return entry;
}

/// The entry's own address, as a key; nothing when it has none. Of several the first in the order of the
/// alphabet: a server keeps no order.
std::variant<std::string, EntryFault> own_address(const std::vector<std::string>& addresses) {
  std::string own;
  for (const auto& text : addresses) {
    const auto address = address_from(text);
    if (!address) return EntryFault{"its own address \"" + text + "\" is not an address"};
    auto key = key_of(address->local, address->domain);
    if (own.empty() || key < own) own = std::move(key);
  }
  return own;
}

std::variant<Route, EntryFault> route_of(const AttributeValues& values, const Settings& settings) {
  const auto& groups = values_of(values, settings.attributes.storage_group);
  const auto& hops = values_of(values, settings.attributes.route);
  if (groups.size() + hops.size() > 1) return EntryFault{"names several ways"};
  if (!hops.empty()) {
    const auto hop = next_hop_from(hops.front());
    if (!hop) return EntryFault{"\"" + hops.front() + "\" is not lmtp://HOST[:PORT] or smtp://HOST[:PORT]"};
    return Route{*hop};
  }
  if (groups.empty()) {
    if (settings.default_storage_group) return Route{*settings.default_storage_group};
    return EntryFault{"names no storage group, route or alias"};
  }
  const auto& text = groups.front();
  const auto slash = text.find('/');
  dumpster::StorageGroup group{text.substr(0, slash), {}};
  if (slash != std::string::npos) group.group = text.substr(slash + 1);
  const auto& known = settings.storage_groups;
  if (std::find(known.begin(), known.end(), group) == known.end())
    return EntryFault{"its storage group \"" + text + "\" is not a CLUSTER/GROUP of the configuration"};
  return Route{std::move(group)};
}

}  // namespace

Made entry_from(std::string_view key, const AttributeValues& values, const Settings& settings) {
  const auto& attributes = settings.attributes;
  KnownEntry entry;
  entry.key = key;
  const auto& targets = values_of(values, attributes.alias);
  if (!targets.empty()) {
    if (!values_of(values, attributes.storage_group).empty() || !values_of(values, attributes.route).empty())
      return EntryFault{"is an alias and names a storage group or route, too"};
    return alias_for(std::move(entry), targets);
  }
  auto own = own_address(values_of(values, attributes.address));
  if (auto* fault = std::get_if<EntryFault>(&own)) return std::move(*fault);
  if (const auto& address = std::get<std::string>(own); !address.empty() && address != key)
    return alias_for(std::move(entry), {address});

  auto route = route_of(values, settings);
  if (auto* fault = std::get_if<EntryFault>(&route)) return std::move(*fault);
  entry.route = std::move(std::get<Route>(route));
  const auto& mailboxes = values_of(values, attributes.mailbox);
  if (mailboxes.size() > 1) return EntryFault{"has several mailbox names"};
  if (mailboxes.empty()) return entry;
  if (key.front() == '@') return EntryFault{"has a mailbox name, which has no meaning for a whole domain"};
  if (!readable(mailboxes.front())) return EntryFault{"has a mailbox name with control characters"};
  entry.mailbox = mailboxes.front();
  return entry;
}

}  // namespace relay::ldap
