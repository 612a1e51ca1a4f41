#include "recovery/agent/coverage.hpp"

#include <algorithm>

namespace recovery::agent {

KnownHub met(const KnownHub* before, const HubIdentity& identity) {
  KnownHub hub;
  hub.store_id = identity.store_id;
  hub.sequence = identity.sequence;
  if (before == nullptr) return hub;
  hub.lost_before = before->lost_before;
  hub.retention = before->retention;
  if (before->store_id != identity.store_id) {
    hub.lost_before = identity.store_created;
  } else if (identity.sequence < before->sequence) {
    hub.lost_before = identity.now;
  }
  return hub;
}

std::optional<dumpster::Duration> retention_of(const ClusterStatus& status) {
  std::optional<dumpster::Duration> longest;
  for (const GroupStatus& group : status.groups) {
    if (group.max_time) longest = std::max(longest.value_or(dumpster::Duration::zero()), *group.max_time);
  }
  return longest;
}

std::string why_never_asked(const NeverAsked& hub) {
  return "it was away from " + dumpster::to_rfc3339(hub.before) + " on until its retention of " +
         std::to_string(std::chrono::duration_cast<std::chrono::seconds>(hub.retention).count()) +
         " s was over, so it was never asked for what it had delivered before";
}

std::string gap_in_coverage(const ListingEnd& end, Instant from, const KnownHub& hub) {
  if (hub.lost_before && from < *hub.lost_before) {
    return "the hub lost its dumpster: what it delivered before " + dumpster::to_rfc3339(*hub.lost_before) +
           " is not known";
  }
  if (end.complete || end.covered_from <= from || end.covered_from <= end.store_created) return {};
  return "its dumpster reaches back to " + dumpster::to_rfc3339(end.covered_from) + " only, not to " +
         dumpster::to_rfc3339(from);
}

}  // namespace recovery::agent
