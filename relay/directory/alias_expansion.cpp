#include "relay/directory/alias_expansion.hpp"

#include <algorithm>

#include "relay/directory/recipients_line.hpp"

namespace relay {
namespace {

constexpr std::size_t deepest = 16;
constexpr std::size_t most_targets = 1000;

}  // namespace

Lookup AliasExpansion::run(std::string_view text) {
  const auto address = address_from(text);
  if (!address) return LookupFault::unknown;
  switch (expand(*address, std::string{text})) {
    case Step::unknown:
      return LookupFault::unknown;
    case Step::loop:
      return LookupFault::loop;
    case Step::good:
      break;
  }
  return std::move(found_);
}

AliasExpansion::Match AliasExpansion::match(const Address& address) const {
  if (address.domain.empty()) return match_postmaster(address);
  if (const auto* entry = table_.find(key_of(address.local, address.domain))) {
    return {entry, Match::By::full, address};
  }
  if (address.base().size() != address.local.size()) {
    if (const auto* entry = table_.find(key_of(address.base(), address.domain))) {
      return {entry, Match::By::base, address};
    }
  }
  if (!address.plain()) return {};
  return {table_.find("@" + address.domain), Match::By::domain, address};
}

AliasExpansion::Match AliasExpansion::match_postmaster(const Address& address) const {
  if (const auto* entry = table_.find("postmaster")) return {entry, Match::By::full, address};
  // A hub is called hub1.example.test and takes mail for example.test: both count as its own domain.
  auto domain = lower_case(hub_name_);
  while (domain.find('.') != std::string::npos) {
    auto found = match({address.local, domain});
    if (found.entry != nullptr) return found;
    domain.erase(0, domain.find('.') + 1);
  }
  return {};
}

AliasExpansion::Step AliasExpansion::expand(const Address& address, std::string text) {
  if (++expanded_ > most_targets) return Step::loop;
  auto found = match(address);
  if (found.entry == nullptr) return Step::unknown;
  if (found.entry->route == RecipientTable::alias) return expand_alias(found);
  if (address.domain.empty() && !found.address.domain.empty()) {
    text = to_address(found.address.local, found.address.domain);
  }
  take(found, std::move(text));
  return Step::good;
}

AliasExpansion::Step AliasExpansion::expand_alias(const Match& match) {
  if (path_.size() == deepest) return Step::loop;
  if (std::find(path_.begin(), path_.end(), match.entry) != path_.end()) return Step::loop;
  path_.push_back(match.entry);
  auto outcome = Step::good;
  for (auto& target : split_targets(table_.text(*match.entry))) {
    auto address = address_from(target);
    if (!address) return Step::unknown;  // cannot be: checked when the file was read
    if (match.by == Match::By::base && !address->domain.empty() && address->detail().empty()) {
      address->local = std::string{address->base()} + "+" + std::string{match.address.detail()};
      target = to_address(address->local, address->domain);
    }
    outcome = expand(*address, std::move(target));
    if (outcome != Step::good) break;
  }
  path_.pop_back();
  return outcome;
}

void AliasExpansion::take(const Match& match, std::string text) {
  Resolved resolved;
  resolved.address = std::move(text);
  resolved.detail = match.address.detail();
  resolved.mailbox = table_.text(*match.entry);
  if (resolved.mailbox.empty()) resolved.mailbox = key_of(match.address.base(), match.address.domain);
  resolved.route = table_.route(*match.entry);
  const bool known = std::any_of(found_.begin(), found_.end(), [&resolved](const Resolved& other) {
    return other.route == resolved.route && other.mailbox == resolved.mailbox &&
           other.detail == resolved.detail;
  });
  if (!known) found_.push_back(std::move(resolved));
}

}  // namespace relay
