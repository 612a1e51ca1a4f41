#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace dumpster {

/// A point in time as the store keeps it: UTC, microseconds.
using Instant = std::chrono::sys_time<std::chrono::microseconds>;
using Duration = std::chrono::microseconds;

/// Where the time comes from; tests put their own in its place. Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual Instant now() const = 0;
};

/// The clock of this machine.
const Clock& system_clock();

/// RFC 3339 with microseconds in UTC, e.g. `2026-01-31T12:00:00.000001Z`.
std::string to_rfc3339(Instant instant);

/// Reads RFC 3339 (any offset, any number of fraction digits; more than six are cut).
/// Nothing when `text` is not a valid instant.
std::optional<Instant> from_rfc3339(std::string_view text);

}  // namespace dumpster
