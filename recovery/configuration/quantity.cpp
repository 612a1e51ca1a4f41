#include "recovery/configuration/quantity.hpp"

#include <array>
#include <charconv>
#include <limits>
#include <span>

namespace recovery {
namespace {

struct Unit {
  std::string_view name;
  std::uint64_t factor;
};

constexpr std::array<Unit, 5> size_units{
    {{"TiB", 1ULL << 40}, {"GiB", 1ULL << 30}, {"MiB", 1ULL << 20}, {"KiB", 1ULL << 10}, {"B", 1}}};
constexpr std::array<Unit, 6> duration_units{{{"d", 86'400'000'000ULL},
                                              {"h", 3'600'000'000ULL},
                                              {"m", 60'000'000ULL},
                                              {"s", 1'000'000ULL},
                                              {"ms", 1'000ULL},
                                              {"us", 1}}};

std::optional<std::uint64_t> read(std::string_view text, std::span<const Unit> units, std::uint64_t limit) {
  std::uint64_t number = 0;
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc{}) return std::nullopt;
  const std::string_view name{rest, static_cast<std::size_t>(end - rest)};
  if (name.empty() && number == 0) return 0;
  for (const Unit& unit : units) {
    if (unit.name != name) continue;
    if (number > limit / unit.factor) return std::nullopt;
    return number * unit.factor;
  }
  return std::nullopt;
}

std::string write(std::uint64_t value, std::span<const Unit> units) {
  if (value == 0) return "0";
  for (const Unit& unit : units) {
    if (value % unit.factor == 0) return std::to_string(value / unit.factor) + std::string{unit.name};
  }
  return std::to_string(value);
}

}  // namespace

std::optional<std::uint64_t> bytes_from(std::string_view text) {
  return read(text, size_units, std::numeric_limits<std::uint64_t>::max());
}

std::optional<std::chrono::microseconds> duration_from(std::string_view text) {
  const auto value = read(text, duration_units, std::numeric_limits<std::int64_t>::max());
  if (!value) return std::nullopt;
  return std::chrono::microseconds{static_cast<std::int64_t>(*value)};
}

std::string bytes_to_string(std::uint64_t bytes) {
  return write(bytes, size_units);
}

std::string duration_to_string(std::chrono::microseconds duration) {
  const std::int64_t value = duration.count();
  if (value < 0) return "-" + write(std::uint64_t{0} - static_cast<std::uint64_t>(value), duration_units);
  return write(static_cast<std::uint64_t>(value), duration_units);
}

}  // namespace recovery
