#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "dumpster/delivery.hpp"
#include "dumpster/instant.hpp"
#include "dumpster/uuid.hpp"

namespace dumpster::rocks {

/// The column families. FORMAT.md says what lies in each.
enum class Family : std::uint8_t { state = 0, messages, bodies, spool, lines, ids, resubmissions, history };
inline constexpr std::size_t family_count = 8;

namespace key {

// state
std::string hub();
std::string cluster(std::string_view name);
std::string all_clusters();  ///< prefix
std::string group(const StorageGroup& group);
std::string all_groups();  ///< prefix
StorageGroup group_of(std::string_view group_key);
std::string traffic(const StorageGroup& group);
std::string begun_body(const Uuid& message);  ///< chunks were written, the message is not accepted yet
std::string all_begun_bodies();               ///< prefix
Uuid message_of_begun_body(std::string_view key);

// messages and spool
std::string message(const Uuid& message);
std::string references(const Uuid& message);  ///< only present while there is not exactly one reference
bool is_references(std::string_view key);
Uuid uuid_at(std::string_view key, std::size_t offset);

// bodies
std::string chunk(const Uuid& message, std::uint32_t chunk);
std::uint32_t chunk_number(std::string_view key);

// lines: group number, time of delivery
std::string line(std::uint32_t group_number, Instant delivered_at);
std::uint32_t group_number(std::string_view key);
Instant delivered_at(std::string_view line_key);

// ids: group number, delivery id, time of delivery
std::string id(std::uint32_t group_number, const Uuid& delivery_id, Instant delivered_at);
std::string ids_of(std::uint32_t group_number, const Uuid& delivery_id);  ///< prefix
Instant delivered_at_of_id(std::string_view id_key);

// resubmissions
std::string resubmission(const Uuid& id);
std::string all_resubmissions();  ///< prefix
std::string not_found(const Uuid& resubmission);
std::string resubmission_key(const StorageGroup& group, std::string_view key);
std::string spooled(const Uuid& resubmission, const Uuid& message);
std::string all_spooled(const Uuid& resubmission);  ///< prefix
std::string all_spooled();                          ///< prefix, of all resubmissions
std::string plan(const Uuid& resubmission);
std::string waiting(const Uuid& resubmission, Instant delivered_at);
std::string all_waiting(const Uuid& resubmission);  ///< prefix
Instant delivered_at_of_waiting(std::string_view waiting_key);

// history: sequence of the write
std::string history(std::uint64_t sequence);

/// Where the second copy of a small record of `state` lies, in `resubmissions`.
std::string second_copy(std::string_view state_key);

/// The first key behind every key that begins with `prefix`.
std::string behind(std::string prefix);

}  // namespace key
}  // namespace dumpster::rocks
