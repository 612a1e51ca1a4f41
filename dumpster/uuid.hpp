#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "dumpster/instant.hpp"

namespace dumpster {

/// A UUID (RFC 9562) in network byte order, so that version 7 sorts by time.
struct Uuid {
  std::array<std::uint8_t, 16> bytes{};

  auto operator<=>(const Uuid&) const = default;
  bool is_nil() const { return *this == Uuid{}; }
};

/// A new UUIDv7 of that instant: the microseconds follow the milliseconds (RFC 9562 6.2, method 3), so that
/// ids of different instants are in the order of these; the other 62 bits come from the system's random
/// generator. Thread-safe.
Uuid new_uuid(Instant instant);

/// The id that stands for one message in one storage group, the same through all retries and resubmissions.
/// Time and version of `message` are kept, the 62 low bits come from SHA-256 of message and group: so a
/// delivery id needs no write of its own, and a crash cannot change it.
Uuid delivery_id_of(const Uuid& message, std::string_view cluster, std::string_view group);

/// Canonical text form, lower case.
std::string to_string(const Uuid& uuid);

/// Reads the canonical text form in either case; nothing for any other text.
std::optional<Uuid> uuid_from(std::string_view text);

}  // namespace dumpster

template <>
struct std::hash<dumpster::Uuid> {
  std::size_t operator()(const dumpster::Uuid& uuid) const noexcept;
};
