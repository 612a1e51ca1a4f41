#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "relay/directory/recipient_source.hpp"

namespace relay {

/// The lines of a recipients file, compact: texts lie one behind the other in one string, lines are sorted by
/// their key.
class RecipientTable {
 public:
  struct Entry {
    std::uint64_t key_offset = 0;
    std::uint32_t line = 0;
    std::uint32_t route = alias;  ///< index of a route, or `alias`
    std::uint32_t text_size = 0;  ///< alias: the targets; otherwise the third column. Lies behind the key
    std::uint16_t key_size = 0;
  };
  static constexpr std::uint32_t alias = UINT32_MAX;

  /// `key`: address or `@domain` in lower case. `text`: targets of an alias, or the third column.
  void add(std::string_view key, std::uint32_t route, std::string_view text, std::uint32_t line);
  /// The same route gets the same index.
  std::uint32_t route_index(const Route& route);
  /// After the last `add`: sorts. Gives pairs of lines that have the same key, the later one second.
  std::vector<std::pair<std::uint32_t, std::uint32_t>> finish();

  /// Null when there is none. After `finish`.
  const Entry* find(std::string_view key) const;
  std::string_view key(const Entry& entry) const;
  std::string_view text(const Entry& entry) const;
  const Route& route(const Entry& entry) const { return routes_[entry.route]; }

 private:
  std::string texts_;
  std::vector<Entry> entries_;
  std::vector<Route> routes_;
  std::map<Route, std::uint32_t> route_indices_;
};

}  // namespace relay
