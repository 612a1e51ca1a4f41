#pragma once

#include <cstdint>

#include "dumpster/instant.hpp"

namespace relay {

/// Exponential back-off with jitter: `retry_min`, doubled with each failure up to `retry_max`, and a part of
/// it more or less so that what failed together does not come back together.
struct BackOff {
  dumpster::Duration retry_min = std::chrono::seconds{5};
  dumpster::Duration retry_max = std::chrono::minutes{15};

  /// The wait after `failures` failures (from 1). `chance` in [0, 1) chooses within ±10 %.
  dumpster::Duration after(std::uint32_t failures, double chance) const;

  bool operator==(const BackOff&) const = default;
};

}  // namespace relay
