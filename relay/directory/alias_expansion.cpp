#include "relay/directory/alias_expansion.hpp"

#include <algorithm>

#include "relay/directory/recipients_line.hpp"

namespace relay {
namespace {

constexpr std::size_t deepest = 16;
constexpr std::size_t most_targets = 1000;

}  // namespace

std::optional<Lookup> AliasExpansion::run(std::string_view text) {
  const auto address = address_from(text);
  if (!address) return LookupFault::unknown;
  switch (expand(*address, std::string{text})) {
    case Step::unknown:
      return LookupFault::unknown;
    case Step::loop:
      return LookupFault::loop;
    case Step::unavailable:
      return LookupFault::unavailable;
    case Step::not_at_hand:
      return std::nullopt;
    case Step::good:
      break;
  }
  return std::move(found_);
}

AliasExpansion::Step AliasExpansion::find(std::string_view key, Match::By by, Match& match) {
  auto answer = source_.find(key);
  if (std::holds_alternative<EntryUnavailable>(answer)) return Step::unavailable;
  if (std::holds_alternative<EntryNotAtHand>(answer)) return Step::not_at_hand;
  auto* entry = std::get_if<RecipientEntry>(&answer);
  if (entry == nullptr) return Step::unknown;
  match.entry = *entry;
  match.by = by;
  return Step::good;
}

/// Only what is certainly not there leads on to the next form of the key.
AliasExpansion::Step AliasExpansion::match(const Address& address, Match& match) {
  if (address.domain.empty()) return match_postmaster(address, match);
  match.address = address;
  auto step = find(key_of(address.local, address.domain), Match::By::full, match);
  if (step != Step::unknown) return step;
  if (address.base().size() != address.local.size()) {
    step = find(key_of(address.base(), address.domain), Match::By::base, match);
    if (step != Step::unknown) return step;
  }
  if (!address.plain()) return Step::unknown;
  return find("@" + address.domain, Match::By::domain, match);
}

AliasExpansion::Step AliasExpansion::match_postmaster(const Address& address, Match& match) {
  match.address = address;
  auto step = find("postmaster", Match::By::full, match);
  if (step != Step::unknown) return step;
  // A hub is called hub1.example.test and takes mail for example.test: both count as its own domain.
  auto domain = lower_case(hub_name_);
  while (domain.find('.') != std::string::npos) {
    step = this->match({address.local, domain}, match);
    if (step != Step::unknown) return step;
    domain.erase(0, domain.find('.') + 1);
  }
  return Step::unknown;
}

AliasExpansion::Step AliasExpansion::expand(const Address& address, std::string text) {
  if (++expanded_ > most_targets) return Step::loop;
  Match found;
  const auto step = match(address, found);
  if (step != Step::good) return step;
  if (found.entry.route == nullptr) return expand_alias(found);
  if (address.domain.empty() && !found.address.domain.empty()) {
    text = to_address(found.address.local, found.address.domain);
  }
  take(found, std::move(text));
  return Step::good;
}

AliasExpansion::Step AliasExpansion::expand_alias(const Match& match) {
  if (path_.size() == deepest) return Step::loop;
  if (std::find(path_.begin(), path_.end(), match.entry.key) != path_.end()) return Step::loop;
  path_.push_back(match.entry.key);
  auto outcome = Step::good;
  for (auto& target : split_targets(match.entry.targets)) {
    auto address = address_from(target);
    if (!address) return Step::unknown;  // cannot be: checked when the entry was read
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
  resolved.mailbox = match.entry.mailbox;
  if (resolved.mailbox.empty()) resolved.mailbox = key_of(match.address.base(), match.address.domain);
  resolved.route = *match.entry.route;
  const bool known = std::any_of(found_.begin(), found_.end(), [&resolved](const Resolved& other) {
    return other.route == resolved.route && other.mailbox == resolved.mailbox &&
           other.detail == resolved.detail;
  });
  if (!known) found_.push_back(std::move(resolved));
}

}  // namespace relay
