#pragma once

#include <string>

#include "dumpster/instant.hpp"

namespace recovery::dumpsterctl {

/// RFC 3339 as the hub takes it: as given, or for an age such as `2h` that long before `now`. Throws
/// `std::runtime_error` for any other text.
std::string instant_argument(const std::string& text, dumpster::Instant now);

/// Seconds of a time such as `12h`. Throws `std::runtime_error`.
std::uint64_t seconds_argument(const std::string& text);

}  // namespace recovery::dumpsterctl
