#pragma once

#include <optional>

#include "dumpster/cluster.hpp"
#include "dumpster/instant.hpp"
#include "dumpster/spool.hpp"

namespace relay {

/// What decides how long a recipient in doubt is held (promise 8).
struct HoldConditions {
  dumpster::Duration in_doubt_wait = std::chrono::seconds{60};
  dumpster::Instant hub_started{};
  dumpster::Instant activated_at{};
  dumpster::Instant reachable_since{};  ///< when the node could be reached again after it could not
  bool has_agent = false;               ///< the active node ever had an agent; without one nothing is held,
                           ///< but for what comes from a backup: who was there since is not known
  std::optional<dumpster::Instant> agent_seen;
};

/// The instant before which `entry` is not tried again; nothing when it is not held at all. The hold is
/// counted from the latest of the attempt, the hub's start, the activation and the node being reachable
/// again, and does not end while the agent is in touch.
std::optional<dumpster::Instant> held_until(const dumpster::SpoolEntry& entry,
                                            const HoldConditions& conditions);

}  // namespace relay
