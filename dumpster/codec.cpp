#include "dumpster/codec.hpp"

#include <libdeflate.h>

#include <limits>

namespace dumpster {
namespace {

constexpr std::size_t checksum_size = 4;

std::uint32_t checksum(std::string_view key, std::string_view bytes) {
  return libdeflate_crc32(libdeflate_crc32(0, key.data(), key.size()), bytes.data(), bytes.size());
}

}  // namespace

void Encoder::number(std::uint64_t value) {
  while (value >= 0x80U) {
    byte(static_cast<std::uint8_t>(value | 0x80U));
    value >>= 7U;
  }
  byte(static_cast<std::uint8_t>(value));
}

void Encoder::text(std::string_view value) {
  number(value.size());
  bytes_ += value;
}

void Encoder::instant(Instant value) {
  const auto count = static_cast<std::int64_t>(value.time_since_epoch().count());
  number((static_cast<std::uint64_t>(count) << 1U) ^ static_cast<std::uint64_t>(count >> 63));
}

void Encoder::uuid(const Uuid& value) {
  bytes_.append(reinterpret_cast<const char*>(value.bytes.data()), value.bytes.size());
}

std::string_view Decoder::take(std::size_t length) {
  if (length > rest_.size()) throw Malformed("a record ends too early");
  const auto taken = rest_.substr(0, length);
  rest_.remove_prefix(length);
  return taken;
}

std::uint8_t Decoder::byte() {
  return static_cast<std::uint8_t>(take(1).front());
}

bool Decoder::flag() {
  const auto value = byte();
  if (value > 1) throw Malformed("a flag is neither 0 nor 1");
  return value == 1;
}

std::uint64_t Decoder::number() {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 64; shift += 7) {
    const std::uint64_t next = byte();
    if (shift == 63 && next > 1) break;
    value |= (next & 0x7fU) << shift;
    if (next < 0x80U) return value;
  }
  throw Malformed("a number does not end");
}

std::uint32_t Decoder::number32() {
  const auto value = number();
  if (value > std::numeric_limits<std::uint32_t>::max()) throw Malformed("a number is too large");
  return static_cast<std::uint32_t>(value);
}

std::string Decoder::text() {
  const auto length = number();
  return std::string{take(length)};
}

Instant Decoder::instant() {
  const auto value = number();
  const auto count = static_cast<std::int64_t>((value >> 1U) ^ (~(value & 1U) + 1U));
  return Instant{Duration{count}};
}

Uuid Decoder::uuid() {
  const auto bytes = take(16);
  Uuid value;
  bytes.copy(reinterpret_cast<char*>(value.bytes.data()), value.bytes.size());
  return value;
}

std::size_t Decoder::count(std::size_t least_bytes) {
  const auto value = number();
  if (value > rest_.size() / least_bytes) throw Malformed("a record holds fewer elements than it says");
  return value;
}

void Decoder::expect_end() const {
  if (!rest_.empty()) throw Malformed("a record goes on behind its end");
}

std::string seal(std::string_view key, std::string_view payload) {
  std::string value;
  value.reserve(1 + payload.size() + checksum_size);
  value += static_cast<char>(record_version);
  value += payload;
  auto sum = checksum(key, value);
  for (std::size_t i = 0; i < checksum_size; ++i, sum >>= 8U)
    value += static_cast<char>(sum & 0xffU);
  return value;
}

Result<std::string_view> unseal(std::string_view key, std::string_view value) {
  if (value.size() < 1 + checksum_size) return Error{Fault::damaged, "a record is shorter than its checksum"};
  const auto sealed = value.substr(0, value.size() - checksum_size);
  std::uint32_t sum = 0;
  for (std::size_t i = checksum_size; i-- > 0;) {
    sum = (sum << 8U) | static_cast<std::uint8_t>(value[sealed.size() + i]);
  }
  if (sum != checksum(key, sealed)) return Error{Fault::damaged, "a record does not carry its checksum"};
  if (static_cast<std::uint8_t>(sealed.front()) != record_version) {
    return Error{Fault::invalid, "a record was written by a newer program"};
  }
  return sealed.substr(1);
}

}  // namespace dumpster
