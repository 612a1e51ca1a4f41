#include "relay/queue/hold.hpp"

#include <algorithm>

namespace relay {

std::optional<dumpster::Instant> held_until(const dumpster::SpoolEntry& entry,
                                            const HoldConditions& conditions) {
  if (!entry.in_doubt || !(conditions.has_agent || entry.from_backup)) return std::nullopt;
  auto from = std::max(
      {entry.in_doubt_since, conditions.hub_started, conditions.activated_at, conditions.reachable_since});
  if (conditions.agent_seen) from = std::max(from, *conditions.agent_seen);
  return from + conditions.in_doubt_wait;
}

}  // namespace relay
