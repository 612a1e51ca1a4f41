#pragma once

#include <boost/system/result.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "dumpster/cluster.hpp"
#include "dumpster/delivery.hpp"
#include "dumpster/instant.hpp"
#include "dumpster/resubmission.hpp"
#include "dumpster/uuid.hpp"

namespace recovery::agent {

using dumpster::Instant;

/// Why a call to a hub gave nothing. The three kinds are different news: a hub that was not reached is asked
/// again, a refusal is a decision of the hub, an answer that makes no sense is taken for neither.
struct HubError {
  enum class Kind : std::uint8_t {
    unreachable,  ///< no connection, no answer in time, or `502`, `503`, `504`, `429`
    refused,      ///< any other status that is not a success
    malformed,    ///< not what the contract says, or larger than it may be
  };
  Kind kind = Kind::unreachable;
  unsigned status = 0;  ///< of HTTP; 0 when there was none
  std::string detail;   ///< one sentence
  /// What a `409` says of the cluster as it is.
  std::string active;
  std::optional<std::uint64_t> term;
};

[[noreturn]] void throw_exception_from_error(const HubError& error, const boost::source_location&);

template <class T>
using HubResult = boost::system::result<T, HubError>;

struct HubIdentity {
  std::string hub;
  Instant now{};
  std::string store_id;
  Instant store_created{};
  std::uint64_t sequence = 0;  ///< only grows while the store is the same
};

struct GroupStatus {
  std::string name;
  std::uint64_t in_doubt = 0;
  std::uint64_t messages = 0;
  std::uint64_t bytes = 0;
  std::optional<Instant> oldest;
  std::optional<Instant> covered_from;
  std::optional<dumpster::Duration> max_time;  ///< how long the hub keeps what it delivered
};

struct ClusterStatus {
  std::vector<std::string> nodes;  ///< in the hub's order, which gives each its place
  std::string active;
  std::uint64_t term = 0;
  std::vector<GroupStatus> groups;
};

struct ActivationAnswer {
  std::string active;
  std::uint64_t term = 0;
  Instant now{};
};

/// One line of a listing.
struct ListedRecipient {
  std::string address;
  std::string mailbox;
};
struct ListedDelivery {
  dumpster::Uuid delivery_id;
  std::string message_id;  ///< without angle brackets; may be empty
  Instant delivered_at{};
  std::string node;
  std::uint64_t term = 0;
  std::uint32_t attempt = 0;
  dumpster::DeliveryState state = dumpster::DeliveryState::delivered;
  std::vector<ListedRecipient> recipients;
};

/// The last line of a listing.
struct ListingEnd {
  Instant covered_from{};
  bool complete = false;
  std::string store_id;
  Instant store_created{};
  Instant now{};
  std::uint64_t count = 0;
};

struct ListingQuery {
  Instant from{};
  std::optional<Instant> until;                  ///< not included; nothing: the listing's `now`
  std::optional<dumpster::DeliveryState> state;  ///< nothing: every state
};

struct ResubmissionAnswer {
  std::string id;
  std::string state;  ///< empty in the answer to a new request
  std::uint64_t matched = 0;
  std::uint64_t delivered = 0;
  std::uint64_t failed = 0;
  std::vector<dumpster::Uuid> not_found;  ///< of what was named; only in the answer to a request

  bool ended() const { return state == "completed" || state == "cancelled"; }
};

/// One hub, as the agent of one node sees it: the calls of the recovery API. Every call has a deadline and a
/// limit on what it reads. For one thread at a time.
class HubClient {
 public:
  virtual ~HubClient() = default;

  virtual const std::string& address() const = 0;
  /// Whether the calls from now on count as this node's agent being in touch; at first they do. While the
  /// active node's agent is in touch a hub waits for its evidence, so one that may give none must not be.
  virtual void set_in_touch(bool in_touch) = 0;
  virtual HubResult<HubIdentity> hub() = 0;
  virtual HubResult<ClusterStatus> cluster(const std::string& cluster) = 0;
  virtual HubResult<ActivationAnswer> activate(const std::string& cluster, const std::string& node,
                                               std::uint64_t term, dumpster::ActivationKind kind) = 0;
  /// Calls `line` for each line as it comes. A listing without its last line, or with a count that is not
  /// that of the lines, is malformed: nothing may be decided on its word.
  virtual HubResult<ListingEnd> list(const dumpster::StorageGroup& group, const ListingQuery& query,
                                     const std::function<void(ListedDelivery)>& line) = 0;
  /// `body` is the JSON of the request with its key: byte for byte the same when it is sent again.
  virtual HubResult<ResubmissionAnswer> resubmit(const dumpster::StorageGroup& group,
                                                 const std::string& body) = 0;
  virtual HubResult<ResubmissionAnswer> resubmission(const std::string& id) = 0;
  virtual HubResult<void> absent(const dumpster::StorageGroup& group, const std::string& body) = 0;
  /// Replication feedback: all that was delivered up to `through` is on this passive node.
  virtual HubResult<void> replicated(const dumpster::StorageGroup& group, const std::string& node,
                                     Instant through) = 0;
  virtual HubResult<void> recovered(const std::string& cluster, const std::string& node,
                                    std::uint64_t term) = 0;
};

}  // namespace recovery::agent
