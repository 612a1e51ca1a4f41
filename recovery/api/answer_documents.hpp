#pragma once

#include <boost/json/object.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dumpster/cluster.hpp"
#include "dumpster/delivery.hpp"
#include "dumpster/resubmission.hpp"
#include "dumpster/store.hpp"
#include "recovery/running_relay.hpp"

namespace recovery {

/// The documents that the API answers with, as the contract names their members.

/// One line of a listing, without its end.
boost::json::object document_of(const dumpster::Delivery& delivery);
boost::json::object document_of(const dumpster::Resubmission& resubmission);
boost::json::object document_of(const dumpster::ResubmissionAccepted& accepted);
/// What a dry run would choose.
boost::json::object preview_of(const dumpster::ResubmissionAccepted& accepted);
boost::json::object document_of(const dumpster::StorageGroupState& group);
/// `groups` in the order in which they are shown. `now` decides whether a hold is over.
boost::json::object document_of(const dumpster::ClusterState& cluster,
                                const std::vector<dumpster::StorageGroupState>& groups,
                                dumpster::Instant now);

boost::json::object document_of(const RunningRelay::QueuedMail& mail);

/// JSON holds UTF-8 only, mail and peers say any bytes: what is not UTF-8 becomes U+FFFD.
std::string utf8(std::string_view text);

/// `cluster/group`
std::string name_of(const dumpster::StorageGroup& group);

}  // namespace recovery
