#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

#include "dumpster/error.hpp"
#include "dumpster/instant.hpp"
#include "dumpster/uuid.hpp"

namespace dumpster {

/// Thrown by `Decoder` alone; `unseal` and the decoding functions of `records.hpp` turn it into
/// `Fault::damaged`.
class Malformed : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Writes the fields of one record. FORMAT.md describes the bytes.
class Encoder {
 public:
  void byte(std::uint8_t value) { bytes_ += static_cast<char>(value); }
  void flag(bool value) { byte(value ? 1 : 0); }
  void number(std::uint64_t value);   ///< LEB128: seven bits a byte, the low ones first
  void text(std::string_view value);  ///< length as a number, then the bytes
  void instant(Instant value);        ///< microseconds since 1970, zigzag
  void uuid(const Uuid& value);

  std::string take() { return std::move(bytes_); }

 private:
  std::string bytes_;
};

/// Reads what `Encoder` wrote; throws `Malformed` instead of reading past the end.
class Decoder {
 public:
  explicit Decoder(std::string_view bytes) : rest_(bytes) {}

  std::uint8_t byte();
  bool flag();
  std::uint64_t number();
  std::uint32_t number32();
  std::string text();
  Instant instant();
  Uuid uuid();
  /// How many elements of at least `least_bytes` each follow; never more than the record can hold.
  std::size_t count(std::size_t least_bytes);
  void expect_end() const;
  /// Nothing is left: a record of an earlier program ends before the fields that were added since.
  bool at_end() const { return rest_.empty(); }

 private:
  std::string_view take(std::size_t length);

  std::string_view rest_;
};

/// The version of the record format that this program writes, and the newest that it reads.
inline constexpr std::uint8_t record_version = 1;

/// A value as it lies in the store: version byte, payload, CRC-32 over key, version byte and payload. With
/// the key in the checksum, a value that turns up under another key is found out.
std::string seal(std::string_view key, std::string_view payload);

/// The payload of a sealed value, within `value`. `damaged` when the checksum does not match; `invalid` when
/// a newer program wrote it.
Result<std::string_view> unseal(std::string_view key, std::string_view value);

}  // namespace dumpster
