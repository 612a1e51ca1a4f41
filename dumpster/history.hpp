#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dumpster/delivery.hpp"
#include "dumpster/instant.hpp"
#include "dumpster/uuid.hpp"

namespace dumpster {

/// One thing that happened to some recipients of a message. Events are written in the same write as what they
/// tell of, and kept within bounds of size and age, whatever becomes of the message itself.
struct HistoryEvent {
  enum class Kind : std::uint8_t {
    accepted = 1,
    delivered = 2,
    in_doubt = 3,
    deferred = 4,
    bounced = 5,  ///< refused for good, or too old
    deleted = 6,  ///< by an operator
    resubmitted = 7,
    present = 8,   ///< in doubt, and found at the node by evidence
    delayed = 9,   ///< the sender was told that it takes longer
    held = 10,     ///< by an operator
    released = 11  ///< by an operator
  };
  Kind kind = Kind::accepted;
  Instant at{};
  Uuid message;
  std::vector<std::uint32_t> recipients;  ///< places in the envelope; for `accepted` all of them

  // For `accepted`.
  std::string sender;
  std::string message_id;
  std::string origin;  ///< where it came from, for people
  std::uint64_t size = 0;
  std::vector<std::string> addresses;  ///< by place in the envelope, after aliases
  std::vector<std::string> originals;  ///< what the client had said; empty where that is the same

  // For what became of an attempt.
  std::uint32_t attempt = 0;
  std::optional<StorageGroup> group;
  std::string where;  ///< node, or next hop
  std::string reply;
  bool retained = false;  ///< put into the dumpster of `group`
  Uuid resubmission;      ///< nil for fresh mail

  bool operator==(const HistoryEvent&) const = default;
};

std::string_view to_string(HistoryEvent::Kind kind);

/// Which messages are looked for: those that fit everything that is given. An empty query finds nothing.
struct HistoryQuery {
  std::optional<Uuid> id;  ///< of a message, or of one of its deliveries
  std::string message_id;  ///< without angle brackets
  std::string recipient;   ///< after aliases, or as the client said it; letters of either case
  std::size_t most = 100;  ///< messages; of more the newest
};

struct MessageHistory {
  Uuid message;
  std::vector<HistoryEvent> events;  ///< oldest first
};

struct HistoryFound {
  std::vector<MessageHistory> messages;  ///< oldest first
  bool more = false;                     ///< older ones fit, too
  std::optional<Instant> since;          ///< the oldest event that is still kept
};

}  // namespace dumpster
