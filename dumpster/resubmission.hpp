#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "dumpster/delivery.hpp"
#include "dumpster/instant.hpp"
#include "dumpster/uuid.hpp"

namespace dumpster {

enum class ResubmissionState : std::uint8_t { running = 1, paused = 2, completed = 3, cancelled = 4 };

std::string_view to_string(ResubmissionState state);

/// One delivery named by the agent or an operator.
struct ResubmissionItem {
  enum class Outcome : std::uint8_t {
    deliver,  ///< to be delivered again (or at last, when it was in doubt)
    present,  ///< for what is in doubt: it is there, settle it
  };
  Uuid delivery_id;
  std::optional<std::uint32_t> attempt;  ///< evidence about another attempt finds nothing
  std::vector<std::string> recipients;   ///< addresses or mailboxes; empty: all of the line
  Outcome outcome = Outcome::deliver;

  bool operator==(const ResubmissionItem&) const = default;
};

/// A request to deliver retained mail again. With `items` exactly those; without, every line of the window in
/// state delivered, in_doubt or failed.
struct ResubmissionRequest {
  std::string key;  ///< chosen by the asker; makes the request idempotent
  StorageGroup group;
  Instant from{};
  Instant until{};  ///< not included
  bool by_agent = false;
  std::optional<std::string> node;    ///< required from an agent, must be the active one
  std::optional<std::uint64_t> term;  ///< required from an agent, must be the current one
  std::optional<std::vector<ResubmissionItem>> items;
  std::string recipient;   ///< only this address or mailbox; empty: all
  std::string message_id;  ///< only this Message-ID, without angle brackets; empty: all
  Duration lifetime{};     ///< `resubmit_lifetime`: how long `4xx` is retried
  bool dry_run = false;    ///< only says what would be chosen; the key is not looked at

  bool operator==(const ResubmissionRequest&) const = default;
};

/// `matched`, `resubmitted`, `delivered`, `failed` and `cancelled` count recipients.
struct Resubmission {
  Uuid id;
  std::string key;
  StorageGroup group;
  std::uint64_t term = 0;  ///< the cluster's term when it was accepted; a higher one ends it
  ResubmissionState state = ResubmissionState::running;
  Instant from{};
  Instant until{};
  Instant created_at{};
  std::uint64_t matched = 0;
  std::uint64_t resubmitted = 0;  ///< handed to the spool so far; what was settled as present never is
  std::uint64_t delivered = 0;    ///< delivered again, and settled as present
  std::uint64_t failed = 0;
  std::uint64_t cancelled = 0;
  Instant covered_from{};  ///< as it was when the request was accepted
  bool complete = false;
  std::vector<Uuid> not_found;

  bool operator==(const Resubmission&) const = default;
};

struct ResubmissionAccepted {
  Resubmission resubmission;
  bool repeated = false;         ///< the same request had been accepted before
  std::uint64_t deliveries = 0;  ///< lines chosen, and the sum of their sizes
  std::uint64_t bytes = 0;
  std::vector<Uuid> touched;  ///< messages whose spool entries changed and have to be loaded
};

/// What there is to do for the resubmissions of a cluster.
struct ResubmissionWork {
  std::uint64_t running = 0;  ///< resubmissions
  std::uint64_t paused = 0;
  bool waiting = false;       ///< deliveries wait to be put into the spool
  std::uint64_t spooled = 0;  ///< recipients that have been, and are not settled
  bool unsettled = false;     ///< `settle_resubmissions` has something to do, in whatever cluster
};

/// Deliveries that the active node's agent never found in its own inventory.
struct AbsentReport {
  StorageGroup group;
  std::string node;
  std::uint64_t term = 0;
  std::vector<ResubmissionItem> items;  ///< `attempt` and `outcome` are not looked at
};

}  // namespace dumpster
