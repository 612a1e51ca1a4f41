#pragma once

#include <cstdint>
#include <mutex>
#include <set>
#include <string>
#include <string_view>

#include "dumpster/rocksdb/keys.hpp"

namespace dumpster::rocks {

/// The places of a store that could not be read since it was opened: each is logged once and counted.
/// Thread-safe.
class DamageBook {
 public:
  void note(Family family, std::string_view key, std::string_view reason);
  /// What another book has, which has logged it.
  void add(const DamageBook& other);
  std::uint64_t count() const;

 private:
  static constexpr std::size_t most_places = 10'000;

  mutable std::mutex mutex_;
  std::set<std::pair<Family, std::string>> places_;
};

}  // namespace dumpster::rocks
