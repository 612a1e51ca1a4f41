#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "relay/directory/address.hpp"
#include "relay/directory/directory.hpp"
#include "relay/directory/recipient_source.hpp"

namespace relay {

/// One look-up: matches an address, follows aliases, gathers each target once. The same rules for every form
/// of the directory.
///
/// Bounds: aliases lead at most 16 deep and to at most 1,000 targets; beyond that, and where they point back
/// at themselves, the look-up ends as `loop`. With one target unknown the whole address is unknown: mail to
/// it would otherwise lose a reader without a word.
class AliasExpansion {
 public:
  AliasExpansion(RecipientSource& source, const std::string& hub_name)
      : source_(source), hub_name_(hub_name) {}

  /// Nothing when the source has not all of it at hand.
  std::optional<Lookup> run(std::string_view address);

 private:
  /// How an address was found.
  struct Match {
    RecipientEntry entry;
    enum class By { full, base, domain } by = By::full;
    Address address;  ///< with the domain filled in for `postmaster`
  };
  enum class Step { good, unknown, loop, unavailable, not_at_hand };

  Step find(std::string_view key, Match::By by, Match& match);
  Step match(const Address& address, Match& match);
  Step match_postmaster(const Address& address, Match& match);
  /// `text`: the address as it is to be said in RCPT TO.
  Step expand(const Address& address, std::string text);
  Step expand_alias(const Match& match);
  void take(const Match& match, std::string text);

  RecipientSource& source_;
  const std::string& hub_name_;
  std::vector<std::string_view> path_;  ///< keys of the aliases that led here
  std::size_t expanded_ = 0;
  std::vector<Resolved> found_;
};

}  // namespace relay
