#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>

#include "recovery/agent/report.hpp"
#include "recovery/agent/surroundings.hpp"

namespace recovery::agent {

struct PromoteOptions {
  bool fill = true;                   ///< false: activate, and leave the filling to `fill`
  bool planned = false;               ///< a lossless move
  bool dry_run = false;               ///< only look: no activation, no request, nothing kept
  std::optional<std::uint64_t> term;  ///< from the cluster manager
};

struct WindowOptions {
  Instant from{};
  std::set<std::string> mailboxes;  ///< empty: all
};

/// Makes this node the active one on every hub, then fills the gap. The term is durable before the first hub
/// hears it, and so is every request for mail: an interrupted promote goes on under the same term and the
/// same keys. Hubs that were not reached stay in the state for `fill`. Nothing is resubmitted when the
/// inventory cannot be taken.
Report promote(Surroundings& surroundings, const PromoteOptions& options);

/// Finishes a promote with the hubs that it did not reach (or not to the end). A higher term anywhere drops
/// all that was pending.
Report fill(Surroundings& surroundings);

/// Compares and fills a window again on every hub, the own node's deliveries included. This node has to be
/// the active one.
Report fill_window(Surroundings& surroundings, const WindowOptions& options);

/// Records that this node is passive now, and forgets what was pending: another node will ask for it.
Report demote(Surroundings& surroundings);

/// What is kept, and what every hub says of the cluster, as JSON or for people.
struct StatusReport {
  State state;
  Report report;                      ///< with the hubs that were reached
  std::vector<std::string> clusters;  ///< a line each
};
StatusReport status(Surroundings& surroundings);

}  // namespace recovery::agent
