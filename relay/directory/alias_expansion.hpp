#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "relay/directory/address.hpp"
#include "relay/directory/directory.hpp"
#include "relay/directory/recipient_table.hpp"

namespace relay {

/// One look-up: matches an address, follows aliases, gathers each target once.
///
/// Bounds: aliases lead at most 16 deep and to at most 1,000 targets; beyond that, and where they point back
/// at themselves, the look-up ends as `loop`. With one target unknown the whole address is unknown: mail to
/// it would otherwise lose a reader without a word.
class AliasExpansion {
 public:
  AliasExpansion(const RecipientTable& table, const std::string& hub_name)
      : table_(table), hub_name_(hub_name) {}

  Lookup run(std::string_view address);

 private:
  /// How an address was found.
  struct Match {
    const RecipientTable::Entry* entry = nullptr;
    enum class By { full, base, domain } by = By::full;
    Address address;  ///< with the domain filled in for `postmaster`
  };
  enum class Step { good, unknown, loop };

  Match match(const Address& address) const;
  Match match_postmaster(const Address& address) const;
  /// `text`: the address as it is to be said in RCPT TO.
  Step expand(const Address& address, std::string text);
  Step expand_alias(const Match& match);
  void take(const Match& match, std::string text);

  const RecipientTable& table_;
  const std::string& hub_name_;
  std::vector<const RecipientTable::Entry*> path_;  ///< aliases that led here
  std::size_t expanded_ = 0;
  std::vector<Resolved> found_;
};

}  // namespace relay
