#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "dumpster/delivery.hpp"
#include "relay/directory/next_hop.hpp"

namespace relay {

/// Where one recipient's mail goes.
struct Resolved {
  std::string address;  ///< after aliases, with `+detail` kept: what delivery says in RCPT TO
  std::string mailbox;  ///< entry after aliases, without detail, in lower case, or its third column
  std::string detail;   ///< without the plus; empty when there is none
  std::variant<dumpster::StorageGroup, NextHop> route;
};

enum class LookupFault {
  unknown,      ///< nobody of that name: 550 5.1.1
  unavailable,  ///< the directory cannot say now: 451 4.3.0
  loop,         ///< aliases point at each other, or expand to too many: 550 5.4.6
};

/// One address, or several when it is an alias of several. Each target once.
using Lookup = std::variant<std::vector<Resolved>, LookupFault>;

/// Says for each recipient where its mailbox is. Thread-safe.
///
/// Addresses are given without angle brackets; `postmaster` without a domain is RFC 5321 4.5.1's. Matching:
/// full address first, then local part without `+detail`, then `@domain`; local parts and domains
/// case-insensitive.
class Directory {
 public:
  virtual ~Directory() = default;

  /// The answer when it is at hand; nothing when it has to be waited for (then `ask`). Never waits.
  virtual std::optional<Lookup> find(std::string_view address) const = 0;
  /// Calls `done` once: before it returns, or later on a thread of the directory's own. The wait is bounded;
  /// what could not be found out in time is `unavailable`.
  virtual void ask(std::string address, std::function<void(Lookup)> done) const = 0;
  /// Answers with `unavailable` whatever still waits, and all that is asked afterwards and not at hand. May
  /// wait for what is under way: not from an io thread.
  virtual void close() const {}
};

/// A directory that has every answer at hand.
class ReadyDirectory : public Directory {
 public:
  std::optional<Lookup> find(std::string_view address) const final { return look_up(address); }
  void ask(std::string address, std::function<void(Lookup)> done) const final { done(look_up(address)); }

 private:
  virtual Lookup look_up(std::string_view address) const = 0;
};

}  // namespace relay
