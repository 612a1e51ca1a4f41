#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "dumpster/cluster.hpp"
#include "dumpster/error.hpp"
#include "dumpster/instant.hpp"

namespace recovery::agent {

/// How far a promote has come on one hub.
struct HubProgress {
  bool activated = false;
  bool filled = false;    ///< compared, resubmitted, and `recovered` was told
  bool given_up = false;  ///< away until nothing was left to ask for (`NeverAsked`); not waited for

  bool settled() const { return (activated && filled) || given_up; }
  bool operator==(const HubProgress&) const = default;
};

/// A promote that is not done on every hub.
struct PendingPromote {
  std::uint64_t term = 0;  ///< 0: no hub was reached, so the term is not chosen
  dumpster::ActivationKind kind = dumpster::ActivationKind::lossy;
  dumpster::Instant started{};
  bool inventory_kept = false;              ///< for the hubs that were not reached
  std::map<std::string, HubProgress> hubs;  ///< by address

  bool done() const;
  bool operator==(const PendingPromote&) const = default;
};

/// A request to a hub whose end has not been seen: sent again, byte for byte, after an interruption.
struct PendingOrder {
  std::string hub;
  std::string group;
  std::uint64_t term = 0;
  std::string key;
  std::string body;

  bool operator==(const PendingOrder&) const = default;
};

/// What the agent remembers of a hub that it has met.
struct KnownHub {
  std::string store_id;
  std::uint64_t sequence = 0;
  /// When the hub lost a dumpster: what it delivered before is not covered.
  std::optional<dumpster::Instant> lost_before;
  /// How long it keeps what it delivered, as it said last: the longest of the cluster's storage groups.
  std::optional<dumpster::Duration> retention;

  bool operator==(const KnownHub&) const = default;
};

/// How long a hub that never said is taken to keep what it delivered: the hub's own default of `max_time`.
inline constexpr dumpster::Duration usual_retention = std::chrono::hours{24 * 7};

/// A hub that was away from a promote on until its retention was over: the rest of what it had delivered to
/// the old active node before has been dropped by now, and nobody asked for it.
struct NeverAsked {
  dumpster::Instant before{};  ///< when that promote was ordered
  dumpster::Duration retention{};

  bool operator==(const NeverAsked&) const = default;
};

enum class Role : std::uint8_t { unknown, active, passive };
std::string_view to_string(Role role);

/// What outlives the agent.
struct State {
  std::string cluster;
  std::string node;
  std::uint64_t highest_term = 0;  ///< ever seen anywhere, or sent
  std::vector<std::string> nodes;  ///< of the cluster as a hub listed them last
  Role role = Role::unknown;
  /// The term under which this node became active the last time; counts while `role` is active.
  std::uint64_t active_term = 0;
  dumpster::ActivationKind active_kind = dumpster::ActivationKind::lossy;
  dumpster::Instant active_started{};  ///< when that promote was ordered
  /// Per hub, in its time: from when on it delivered to this node in that term and under this marker.
  std::map<std::string, dumpster::Instant> active_since;
  std::string marker;  ///< of this node's mail store (`store_marker.hpp`); empty: the agent never saw it
  std::optional<PendingPromote> promote;
  std::vector<PendingOrder> orders;
  std::map<std::string, KnownHub> hubs;  ///< by address
  std::map<std::string, NeverAsked>
      never_asked;  ///< by address; until that hub is filled, or the role is lost

  /// What this node was to do in a role that it has lost is another node's task now.
  void drop_pending();
  bool operator==(const State&) const = default;
};

std::string to_json(const State& state);
/// An error for anything but what `to_json` writes: a damaged state is never taken for a fresh one.
dumpster::Result<State> state_from_json(std::string_view text);

/// Keeps the state. `save` returns when it is durable.
class StateStore {
 public:
  virtual ~StateStore() = default;
  virtual dumpster::Result<State> load() = 0;
  virtual dumpster::Result<void> save(const State& state) = 0;
};

/// The directory of one agent: `state.json`, `lock`, and `turn`. Holds the lock as long as it lives:
/// operations of two processes exclude each other. The directory is made when it is not there. A file of
/// another cluster or node is an error.
///
/// An operation takes `turn` first, then waits for the lock: whoever works in rounds (`open_state_for_round`)
/// sees from that that it has to give way.
dumpster::Result<std::unique_ptr<StateStore>> open_state(const std::string& directory,
                                                         const std::string& cluster, const std::string& node,
                                                         dumpster::Duration patience);

/// The same for an operation that only looks: it waits for the lock and asks nobody to give way, so that
/// whoever looks often does not keep `watch` from filling.
dumpster::Result<std::unique_ptr<StateStore>> open_state_to_look(const std::string& directory,
                                                                 const std::string& cluster,
                                                                 const std::string& node,
                                                                 dumpster::Duration patience);

/// The same for one round of `watch`, without waiting: null while an operation is under way or waits.
dumpster::Result<std::unique_ptr<StateStore>> open_state_for_round(const std::string& directory,
                                                                   const std::string& cluster,
                                                                   const std::string& node);

/// Whether an operation holds the turn or waits for it.
bool operation_waits(const std::string& directory);

}  // namespace recovery::agent
