#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace recovery {

/// Reads a size such as `18MiB` (B, KiB, MiB, GiB, TiB; whole numbers; `0` needs no unit). Nothing for any
/// other text and for what does not fit.
std::optional<std::uint64_t> bytes_from(std::string_view text);

/// Reads a time such as `90s` (us, ms, s, m, h, d; whole numbers; `0` needs no unit). Nothing for any other
/// text and for what does not fit.
std::optional<std::chrono::microseconds> duration_from(std::string_view text);

/// The shortest text that reads as the same value.
std::string bytes_to_string(std::uint64_t bytes);
std::string duration_to_string(std::chrono::microseconds duration);

}  // namespace recovery
