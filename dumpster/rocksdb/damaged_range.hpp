#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace dumpster::rocks {

/// Keys behind which something may be that cannot be read: from `from` on, up to `until` (not included), or
/// to the end of the walk.
struct DamagedRange {
  std::string from;
  std::optional<std::string> until;
};

/// Looks for the first readable key behind `from`. A block of a file that cannot be read holds a row of keys
/// that nobody knows; a search that begins behind it succeeds. `seek` gives the first key at or behind
/// another one, an empty text when there is none, and nothing when it meets the damage. The steps double
/// until one gets over it; then the place is narrowed down, so that next to nothing readable is passed over.
std::optional<std::string> first_readable(
    std::string_view from, const std::function<std::optional<std::string>(const std::string&)>& seek);

}  // namespace dumpster::rocks
