#pragma once

#include <string>
#include <string_view>
#include <variant>

#include "recovery/agent/hub_client.hpp"

namespace recovery::agent {

/// Readers of what a hub answers, strict: a field that is missing or of another type than the contract says
/// makes the answer malformed. Fields that are not known are passed over: a newer hub may say more.
HubResult<HubIdentity> identity_from(std::string_view json);
HubResult<ClusterStatus> cluster_from(std::string_view json);
HubResult<ActivationAnswer> activation_from(std::string_view json);
HubResult<ResubmissionAnswer> resubmission_from(std::string_view json);

/// One line of a listing: a delivery, or the listing's end.
HubResult<std::variant<ListedDelivery, ListingEnd>> listing_line_from(std::string_view json);

/// What is wrong, from a status that is no success and its problem detail (RFC 9457), which may be missing.
HubError refusal_from(unsigned status, std::string_view body);

}  // namespace recovery::agent
