#pragma once

#include <string>

#include "recovery/agent/hub_client.hpp"
#include "recovery/agent/state.hpp"

namespace recovery::agent {

/// What is known of a hub after it has said who it is. A hub that had been met before and now has another
/// store, or a sequence that fell, has lost its dumpster; that stays known.
KnownHub met(const KnownHub* before, const HubIdentity& identity);

/// How long a hub keeps deliveries to this cluster: the longest of its storage groups; nothing when it does
/// not say.
std::optional<dumpster::Duration> retention_of(const ClusterStatus& status);

/// One clause for people.
std::string why_never_asked(const NeverAsked& hub);

/// Why a listing from `from` on does not cover all that the hub delivered since; empty when it does. What
/// lies before the creation of the first store that the agent has met is covered: the hub had delivered
/// nothing then.
std::string gap_in_coverage(const ListingEnd& end, Instant from, const KnownHub& hub);

}  // namespace recovery::agent
