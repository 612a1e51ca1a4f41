#pragma once

#include <string>

#include "dumpster/instant.hpp"

namespace relay::smtp {

/// RFC 5322 3.3 in UTC, e.g. `Sat, 31 Jan 2026 12:00:00 +0000`; fractions of a second are dropped.
std::string to_rfc5322(dumpster::Instant instant);

}  // namespace relay::smtp
