#include "dumpster/rocksdb/keys.hpp"

namespace dumpster::rocks::key {
namespace {

void put_number(std::string& key, std::uint64_t value, std::size_t bytes) {
  for (std::size_t i = bytes; i-- > 0;)
    key += static_cast<char>((value >> (8 * i)) & 0xffU);
}

std::uint64_t number_at(std::string_view key, std::size_t offset, std::size_t bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < bytes && offset + i < key.size(); ++i) {
    value = (value << 8U) | static_cast<std::uint8_t>(key[offset + i]);
  }
  return value;
}

void put_uuid(std::string& key, const Uuid& uuid) {
  key.append(reinterpret_cast<const char*>(uuid.bytes.data()), uuid.bytes.size());
}

/// The sign bit is turned, so that instants before 1970 sort first.
constexpr std::uint64_t sign = 1ULL << 63U;

void put_instant(std::string& key, Instant instant) {
  put_number(key, static_cast<std::uint64_t>(instant.time_since_epoch().count()) ^ sign, 8);
}

Instant instant_at(std::string_view key, std::size_t offset) {
  return Instant{Duration{static_cast<std::int64_t>(number_at(key, offset, 8) ^ sign)}};
}

std::string with_uuid(char prefix, const Uuid& uuid) {
  std::string key(1, prefix);
  put_uuid(key, uuid);
  return key;
}

/// Names are as long as they like; the length in front keeps `a`/`bc` apart from `ab`/`c`.
void put_group(std::string& key, const StorageGroup& group) {
  put_number(key, group.cluster.size(), 2);
  key += group.cluster;
  put_number(key, group.group.size(), 2);
  key += group.group;
}

}  // namespace

std::string hub() {
  return "h";
}
std::string cluster(std::string_view name) {
  return "c" + std::string{name};
}

std::string all_clusters() {
  return "c";
}

std::string group(const StorageGroup& group) {
  std::string key = "g";
  put_group(key, group);
  return key;
}

std::string all_groups() {
  return "g";
}

std::string traffic(const StorageGroup& group) {
  std::string key = "t";
  put_group(key, group);
  return key;
}

StorageGroup group_of(std::string_view group_key) {
  const auto cluster_size = number_at(group_key, 1, 2);
  const auto group_at = 3 + cluster_size + 2;
  if (group_key.size() < group_at) return {};
  return {std::string{group_key.substr(3, cluster_size)}, std::string{group_key.substr(group_at)}};
}

std::string begun_body(const Uuid& message) {
  return with_uuid('b', message);
}
std::string all_begun_bodies() {
  return "b";
}
Uuid message_of_begun_body(std::string_view key) {
  return uuid_at(key, 1);
}

std::string message(const Uuid& message) {
  std::string key;
  put_uuid(key, message);
  return key;
}

std::string references(const Uuid& message) {
  return key::message(message) + 'r';
}
bool is_references(std::string_view key) {
  return key.size() == 17;
}

Uuid uuid_at(std::string_view key, std::size_t offset) {
  Uuid uuid;
  if (key.size() >= offset + uuid.bytes.size()) {
    key.copy(reinterpret_cast<char*>(uuid.bytes.data()), uuid.bytes.size(), offset);
  }
  return uuid;
}

std::string chunk(const Uuid& message, std::uint32_t chunk) {
  std::string key = key::message(message);
  put_number(key, chunk, 4);
  return key;
}

std::uint32_t chunk_number(std::string_view key) {
  return static_cast<std::uint32_t>(number_at(key, 16, 4));
}

std::string line(std::uint32_t group_number, Instant delivered_at) {
  std::string key;
  put_number(key, group_number, 4);
  put_instant(key, delivered_at);
  return key;
}

std::uint32_t group_number(std::string_view key) {
  return static_cast<std::uint32_t>(number_at(key, 0, 4));
}
Instant delivered_at(std::string_view line_key) {
  return instant_at(line_key, 4);
}

std::string id(std::uint32_t group_number, const Uuid& delivery_id, Instant delivered_at) {
  std::string key = ids_of(group_number, delivery_id);
  put_instant(key, delivered_at);
  return key;
}

std::string ids_of(std::uint32_t group_number, const Uuid& delivery_id) {
  std::string key;
  put_number(key, group_number, 4);
  put_uuid(key, delivery_id);
  return key;
}

Instant delivered_at_of_id(std::string_view id_key) {
  return instant_at(id_key, 20);
}

std::string resubmission(const Uuid& id) {
  return with_uuid('r', id);
}
std::string all_resubmissions() {
  return "r";
}
std::string not_found(const Uuid& resubmission) {
  return with_uuid('n', resubmission);
}

std::string resubmission_key(const StorageGroup& group, std::string_view key) {
  std::string made = "k";
  put_group(made, group);
  made += key;
  return made;
}

std::string spooled(const Uuid& resubmission, const Uuid& message) {
  std::string key = all_spooled(resubmission);
  put_uuid(key, message);
  return key;
}

std::string all_spooled(const Uuid& resubmission) {
  return with_uuid('m', resubmission);
}

std::string all_spooled() {
  return "m";
}

std::string plan(const Uuid& resubmission) {
  return with_uuid('p', resubmission);
}

std::string waiting(const Uuid& resubmission, Instant delivered_at) {
  std::string key = all_waiting(resubmission);
  put_instant(key, delivered_at);
  return key;
}

std::string all_waiting(const Uuid& resubmission) {
  return with_uuid('w', resubmission);
}

Instant delivered_at_of_waiting(std::string_view waiting_key) {
  return instant_at(waiting_key, 17);
}

std::string history(std::uint64_t sequence) {
  std::string key;
  put_number(key, sequence, 8);
  return key;
}

std::string second_copy(std::string_view state_key) {
  return "s" + std::string{state_key};
}

std::string behind(std::string prefix) {
  while (!prefix.empty() && static_cast<std::uint8_t>(prefix.back()) == 0xff)
    prefix.pop_back();
  if (!prefix.empty()) prefix.back() = static_cast<char>(static_cast<std::uint8_t>(prefix.back()) + 1);
  return prefix;
}

}  // namespace dumpster::rocks::key
