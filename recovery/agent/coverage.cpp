#include "recovery/agent/coverage.hpp"

namespace recovery::agent {

KnownHub met(const KnownHub* before, const HubIdentity& identity) {
  KnownHub hub;
  hub.store_id = identity.store_id;
  hub.sequence = identity.sequence;
  if (before == nullptr) return hub;
  hub.lost_before = before->lost_before;
  if (before->store_id != identity.store_id) {
    hub.lost_before = identity.store_created;
  } else if (identity.sequence < before->sequence) {
    hub.lost_before = identity.now;
  }
  return hub;
}

std::string gap_in_coverage(const ListingEnd& end, Instant from, const KnownHub& hub) {
  if (hub.lost_before && from < *hub.lost_before) {
    return "the hub lost its dumpster: what it delivered before " + dumpster::to_rfc3339(*hub.lost_before) +
           " is not known";
  }
  if (end.complete || end.covered_from <= end.store_created) return {};
  return "its dumpster reaches back to " + dumpster::to_rfc3339(end.covered_from) + " only, not to " +
         dumpster::to_rfc3339(from);
}

}  // namespace recovery::agent
