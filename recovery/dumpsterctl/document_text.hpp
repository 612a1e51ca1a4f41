#pragma once

#include <boost/json/object.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "recovery/dumpsterctl/table.hpp"

namespace recovery::dumpsterctl {

// A member of a document as text; `-` when it is absent or null.

std::string text_of(const boost::json::object& object, std::string_view name);
std::string instant_of(const boost::json::object& object, std::string_view name);
std::string size_of(const boost::json::object& object, std::string_view name);
/// Seconds as `3d 4h`, `2h 5m` or `40s`.
std::string span_of(const boost::json::object& object, std::string_view name);

/// Names and values in two columns.
std::string named_lines(const std::vector<std::pair<std::string, std::string>>& lines);

}  // namespace recovery::dumpsterctl
