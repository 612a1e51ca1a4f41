#include "dumpster/rocksdb/damaged_range.hpp"

#include <algorithm>
#include <cstdint>

namespace dumpster::rocks {
namespace {

/// `key` as a number in the base 256 with `width` places, 2^`power` larger; nothing when it does not fit.
std::optional<std::string> plus_power(std::string_view key, std::size_t width, unsigned power) {
  std::string sum{key.substr(0, width)};
  sum.resize(width, '\0');
  std::size_t place = width - 1 - power / 8;
  unsigned carry = 1U << (power % 8);
  while (carry != 0) {
    const unsigned digit = static_cast<unsigned char>(sum[place]) + carry;
    sum[place] = static_cast<char>(digit & 0xffU);
    carry = digit >> 8U;
    if (carry == 0) break;
    if (place == 0) return std::nullopt;
    --place;
  }
  return sum;
}

}  // namespace

std::optional<std::string> first_readable(
    std::string_view from, const std::function<std::optional<std::string>(const std::string&)>& seek) {
  constexpr std::size_t least_width = 20;
  const auto width = std::max(from.size() + 1, least_width);
  const auto powers = static_cast<unsigned>(width * 8);
  std::optional<std::string> found;
  unsigned power = 0;
  for (; power < powers && !found; ++power) {
    const auto target = plus_power(from, width, power);
    if (!target) return std::nullopt;
    found = seek(*target);
  }
  if (!found) return std::nullopt;
  // Between the last step that met the damage and the one that got over it.
  auto low = std::string{from};
  for (unsigned smaller = power - 1; smaller-- > 0;) {
    const auto target = plus_power(low, width, smaller);
    if (!target) continue;
    auto nearer = seek(*target);
    if (nearer) {
      found = std::move(nearer);
    } else {
      low = *target;
    }
  }
  return found;
}

}  // namespace dumpster::rocks
