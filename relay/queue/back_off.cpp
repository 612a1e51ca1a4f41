#include "relay/queue/back_off.hpp"

#include <algorithm>

namespace relay {

dumpster::Duration BackOff::after(std::uint32_t failures, double chance) const {
  auto wait = retry_min;
  for (std::uint32_t doubled = 1; doubled < failures && wait < retry_max; ++doubled)
    wait *= 2;
  wait = std::min(wait, retry_max);
  const double factor = 0.9 + 0.2 * chance;
  return dumpster::Duration{static_cast<std::int64_t>(static_cast<double>(wait.count()) * factor)};
}

}  // namespace relay
