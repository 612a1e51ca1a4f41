#pragma once

#include <chrono>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "relay/directory/ldap/entry.hpp"

namespace relay::ldap {

/// What a server has said of the last keys, each for a time. Bounded by the number of keys: the one that was
/// not asked for longest goes first. Thread-safe.
class Cache {
 public:
  using Time = std::chrono::steady_clock::time_point;
  using Known = std::shared_ptr<const KnownEntry>;  ///< null: there is no such entry

  explicit Cache(std::size_t most) : most_(most) {}

  /// Nothing when the key is not known, or not any more at `now`.
  std::optional<Known> find(std::string_view key, Time now);
  void put(std::string_view key, Known known, Time until);
  void clear();
  std::size_t size() const;

 private:
  struct Kept {
    std::string key;
    Known known;
    Time until;
  };
  using Order = std::list<Kept>;

  const std::size_t most_;
  mutable std::mutex mutex_;
  Order order_;                                                   ///< last used first
  std::unordered_map<std::string_view, Order::iterator> by_key_;  ///< keys lie in `order_`
};

}  // namespace relay::ldap
