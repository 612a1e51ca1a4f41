#include "dumpster/rocksdb/damage_book.hpp"

#include <array>

#include "dumpster/rocksdb/options.hpp"
#include "metrics/log.hpp"

namespace dumpster::rocks {
namespace {

constexpr std::size_t longest_shown = 64;

std::string hexadecimal(std::string_view bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  for (const char byte : bytes.substr(0, longest_shown)) {
    const auto value = static_cast<unsigned char>(byte);
    text += digits[value >> 4U];
    text += digits[value & 15U];
  }
  return text;
}

}  // namespace

void DamageBook::note(Family family, std::string_view key, std::string_view reason) {
  {
    const std::lock_guard lock{mutex_};
    if (places_.size() >= most_places || !places_.emplace(family, key).second) return;
  }
  metrics::log_error("damage_found",
                     {{"part", name_of(family)}, {"key", hexadecimal(key)}, {"reason", reason}});
}

void DamageBook::add(const DamageBook& other) {
  const std::scoped_lock lock{mutex_, other.mutex_};
  for (const auto& place : other.places_) {
    if (places_.size() < most_places) places_.insert(place);
  }
}

std::uint64_t DamageBook::count() const {
  const std::lock_guard lock{mutex_};
  return places_.size();
}

}  // namespace dumpster::rocks
