#include "recovery/dumpsterctl/times.hpp"

#include <stdexcept>

#include "recovery/configuration/quantity.hpp"

namespace recovery::dumpsterctl {

std::string instant_argument(const std::string& text, dumpster::Instant now) {
  if (const auto age = duration_from(text)) return dumpster::to_rfc3339(now - *age);
  const auto instant = dumpster::from_rfc3339(text);
  if (!instant)
    throw std::runtime_error("'" + text + "' is neither an instant (RFC 3339) nor an age such as 2h");
  return dumpster::to_rfc3339(*instant);
}

std::uint64_t seconds_argument(const std::string& text) {
  const auto duration = duration_from(text);
  if (!duration || *duration < std::chrono::seconds{1})
    throw std::runtime_error("'" + text + "' is no time such as 12h");
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::seconds>(*duration).count());
}

}  // namespace recovery::dumpsterctl
