#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dumpster/cluster.hpp"
#include "dumpster/delivery.hpp"
#include "dumpster/error.hpp"
#include "dumpster/history.hpp"
#include "dumpster/message.hpp"
#include "dumpster/resubmission.hpp"
#include "dumpster/spool.hpp"
#include "dumpster/traffic.hpp"

namespace dumpster {

/// The values that the store keeps, beside those that its interface shows. FORMAT.md describes their bytes.

/// The version of the whole store: keys, families and records. FORMAT.md says what each one has brought.
inline constexpr std::uint64_t format_version = 2;

/// One for the whole store, part of every write.
struct HubRecord {
  std::uint64_t format = format_version;
  Uuid store_id;
  Instant store_created{};
  std::uint64_t sequence = 0;  ///< counts writes
  Instant last_time{};         ///< the last one assigned to a line or a snapshot
  bool clean_shutdown = false;
  std::uint32_t last_group = 0;  ///< the last number given to a storage group
  std::uint64_t spool_messages = 0;
  std::uint64_t spool_bytes = 0;

  bool operator==(const HubRecord&) const = default;
};

struct ClusterRecord {
  std::string active;
  std::uint64_t term = 0;
  ActivationKind kind = ActivationKind::lossless;
  Instant activated_at{};
  bool recovered = true;
  std::vector<std::pair<std::string, Instant>> agent_seen;
  std::optional<Instant> held_until;

  bool operator==(const ClusterRecord&) const = default;
};

/// Everything that was delivered up to `through` is on this node.
struct ReplicatedThrough {
  std::string node;
  Instant through{};

  bool operator==(const ReplicatedThrough&) const = default;
};

struct GroupRecord {
  std::uint32_t number = 0;  ///< stands for the group in the keys of its lines
  Instant created{};
  std::uint64_t messages = 0;
  std::uint64_t bytes = 0;
  std::uint64_t in_doubt = 0;  ///< recipients
  Instant covered_from{};
  bool retention_off = false;                 ///< as it was in the last run
  std::vector<ReplicatedThrough> replicated;  ///< of nodes that were passive when they reported, in this term

  bool operator==(const GroupRecord&) const = default;
};

/// What is left to do for a message; the message itself lies in a record of its own that never changes.
struct SpoolRecord {
  std::uint32_t attempts = 0;
  std::uint64_t size = 0;  ///< of the message, for the totals
  std::vector<SpoolEntry> entries;

  bool operator==(const SpoolRecord&) const = default;
};

/// The last attempt that was known to have delivered, behind a line whose resubmission fell in doubt.
struct EarlierDelivery {
  std::string node;
  std::uint64_t term = 0;
  std::uint32_t attempt = 0;

  bool operator==(const EarlierDelivery&) const = default;
};

/// A line of the dumpster. Its time is part of its key.
struct LineRecord {
  Delivery line;
  std::optional<EarlierDelivery> earlier;

  bool operator==(const LineRecord&) const = default;
};

/// How a resubmission that is not over goes on: what the asker does not see.
struct ResubmissionPlan {
  bool choosing = false;      ///< its set is not whole yet: nobody has been answered
  bool by_items = false;      ///< the set was named; the names are not kept
  Duration lifetime{};        ///< `resubmit_lifetime`, as it was when the request came
  std::uint64_t present = 0;  ///< recipients settled as there: they never wait
  std::string recipient;      ///< of the request
  std::string message_id;     ///< likewise
  Instant next{};             ///< where choosing from a window goes on
  Instant end{};              ///< and where it ends

  bool operator==(const ResubmissionPlan&) const = default;
};

using Digest = std::array<std::uint8_t, 32>;

/// Under a resubmission's key: which one it is, and the digest of the request that made it.
struct ResubmissionKeyRecord {
  Uuid id;
  Digest digest{};

  bool operator==(const ResubmissionKeyRecord&) const = default;
};

// Each `encode` gives the payload that `seal` takes; each `decode` fails with `damaged`.
std::string encode(const HubRecord& record);
std::string encode(const ClusterRecord& record);
std::string encode(const GroupRecord& record);
std::string encode(const Traffic& traffic);
std::string encode(const Message& message);  ///< without its key
std::string encode(const SpoolRecord& record);
std::string encode(const LineRecord& record);
std::string encode(const Resubmission& record);  ///< without its id and `not_found`
std::string encode(const ResubmissionPlan& plan);
std::string encode(const ResubmissionKeyRecord& record);
std::string encode(const std::vector<Uuid>& ids);
std::string encode(const HistoryEvent& event);  ///< several of them, one behind the other, are a payload

/// Also of an older format, whose number it gives; `invalid` for a newer one.
Result<HubRecord> decode_hub(std::string_view payload);
Result<ClusterRecord> decode_cluster(std::string_view payload);
Result<GroupRecord> decode_group(std::string_view payload);
/// As a store of `format` has written it.
Result<GroupRecord> decode_group_of(std::uint64_t format, std::string_view payload);
Result<Traffic> decode_traffic(std::string_view payload);
Result<Message> decode_message(const Uuid& key, std::string_view payload);
Result<SpoolRecord> decode_spool(std::string_view payload);
Result<LineRecord> decode_line(Instant delivered_at, std::string_view payload);
Result<Resubmission> decode_resubmission(const Uuid& id, std::string_view payload);
Result<ResubmissionPlan> decode_plan(std::string_view payload);
Result<ResubmissionKeyRecord> decode_resubmission_key(std::string_view payload);
Result<std::vector<Uuid>> decode_ids(std::string_view payload);
Result<std::vector<HistoryEvent>> decode_history(std::string_view payload);

/// What makes two requests with one key the same: all that the asker said. Role and lifetime are the hub's.
Digest digest_of(const ResubmissionRequest& request);

}  // namespace dumpster
