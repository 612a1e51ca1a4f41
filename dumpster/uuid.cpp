#include "dumpster/uuid.hpp"

#include <openssl/evp.h>
#include <openssl/rand.h>

#include <array>
#include <cstring>
#include <memory>
#include <stdexcept>

namespace dumpster {
namespace {

constexpr std::string_view hex_digits = "0123456789abcdef";

/// RFC 9562 4.1: the two high bits of byte 8.
void set_variant(Uuid& uuid) {
  uuid.bytes[8] = static_cast<std::uint8_t>((uuid.bytes[8] & 0x3fU) | 0x80U);
}

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool dash_before(std::size_t byte) {
  return byte == 4 || byte == 6 || byte == 8 || byte == 10;
}

/// Random bytes for one id, from a stock: each call into OpenSSL costs some microseconds, whatever it is
/// asked for.
void fill_at_random(std::array<std::uint8_t, 16>& bytes) {
  thread_local std::array<std::uint8_t, 64 * 16> stock{};
  thread_local std::size_t left = 0;
  if (left == 0) {
    if (RAND_bytes(stock.data(), static_cast<int>(stock.size())) != 1)
      throw std::runtime_error("the system gives no random numbers");
    left = stock.size();
  }
  left -= bytes.size();
  std::memcpy(bytes.data(), stock.data() + left, bytes.size());
}

/// OpenSSL looks an algorithm up by its name each time it is used, unless it has been fetched: that costs
/// more than the digest of a short text.
std::array<std::uint8_t, 32> sha256(std::string_view text) {
  static EVP_MD* const algorithm = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  thread_local const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context{EVP_MD_CTX_new(),
                                                                                     EVP_MD_CTX_free};
  std::array<std::uint8_t, 32> digest{};
  if (EVP_DigestInit_ex2(context.get(), algorithm, nullptr) != 1 ||
      EVP_DigestUpdate(context.get(), text.data(), text.size()) != 1 ||
      EVP_DigestFinal_ex(context.get(), digest.data(), nullptr) != 1) {
    throw std::runtime_error("SHA-256 is not available");
  }
  return digest;
}

}  // namespace

Uuid new_uuid(Instant instant) {
  Uuid uuid;
  fill_at_random(uuid.bytes);
  const auto since_epoch = static_cast<std::uint64_t>(
      std::chrono::floor<std::chrono::microseconds>(instant).time_since_epoch().count());
  std::uint64_t milliseconds = since_epoch / 1000;
  for (std::size_t i = 6; i-- > 0; milliseconds >>= 8U) {
    uuid.bytes[i] = static_cast<std::uint8_t>(milliseconds & 0xffU);
  }
  const std::uint64_t fraction = since_epoch % 1000 * 4096 / 1000;
  uuid.bytes[6] = static_cast<std::uint8_t>(0x70U | (fraction >> 8U));
  uuid.bytes[7] = static_cast<std::uint8_t>(fraction & 0xffU);
  set_variant(uuid);
  return uuid;
}

Uuid delivery_id_of(const Uuid& message, std::string_view cluster, std::string_view group) {
  std::string input{reinterpret_cast<const char*>(message.bytes.data()), message.bytes.size()};
  input += cluster;
  input += '/';
  input += group;
  const auto digest = sha256(input);
  Uuid id = message;
  std::memcpy(id.bytes.data() + 8, digest.data(), 8);
  set_variant(id);
  return id;
}

std::string to_string(const Uuid& uuid) {
  std::string text;
  text.reserve(36);
  for (std::size_t i = 0; i < uuid.bytes.size(); ++i) {
    if (dash_before(i)) text += '-';
    text += hex_digits[uuid.bytes[i] >> 4U];
    text += hex_digits[uuid.bytes[i] & 15U];
  }
  return text;
}

std::optional<Uuid> uuid_from(std::string_view text) {
  if (text.size() != 36) return std::nullopt;
  Uuid uuid;
  std::size_t at = 0;
  for (std::size_t i = 0; i < uuid.bytes.size(); ++i) {
    if (dash_before(i) && text[at++] != '-') return std::nullopt;
    const int high = hex_value(text[at]);
    const int low = hex_value(text[at + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    uuid.bytes[i] = static_cast<std::uint8_t>(high * 16 + low);
    at += 2;
  }
  return uuid;
}

}  // namespace dumpster

std::size_t std::hash<dumpster::Uuid>::operator()(const dumpster::Uuid& uuid) const noexcept {
  // The low half is random in every id of ours.
  std::size_t value = 0;
  std::memcpy(&value, uuid.bytes.data() + 8, sizeof value);
  return value;
}
