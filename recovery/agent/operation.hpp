#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>

#include "recovery/agent/report.hpp"
#include "recovery/agent/surroundings.hpp"

namespace recovery::agent {

struct PromoteOptions {
  bool fill = true;      ///< false: activate, and leave the filling to `fill`
  bool planned = false;  ///< a lossless move
  /// Only look: no activation, no request, nothing kept. Without `fill` only at what the hubs cover, which
  /// takes no inventory and no listing; the exit status is that of the promote, as far as it can be known.
  bool dry_run = false;
  bool new_store = false;             ///< an empty mail store without its marker is no error
  std::optional<std::uint64_t> term;  ///< from the cluster manager
};

struct WindowOptions {
  Instant from{};
  std::set<std::string> mailboxes;  ///< empty: all
};

/// Makes this node the active one on every hub, then fills the gap. The term is durable before the first hub
/// hears it, and so is every request for mail: an interrupted promote goes on under the same term and the
/// same keys. Hubs that were not reached stay in the state for `fill`. Nothing is resubmitted when the
/// inventory cannot be taken, and nothing is activated when the mail store is not there. With `keep_items`
/// the report has an item for each message that was filled.
Report promote(Surroundings& surroundings, const PromoteOptions& options, bool keep_items = false);

/// Finishes a promote with the hubs that it did not reach (or not to the end). A higher term anywhere drops
/// all that was pending.
Report fill(Surroundings& surroundings, bool keep_items = false);

/// Compares and fills a window again on every hub, the own node's deliveries included, by what the mailboxes
/// hold now: nothing counts as confirmed, since a mailbox or the whole node may have been restored from a
/// backup. This node has to be the active one.
Report fill_window(Surroundings& surroundings, const WindowOptions& options, bool keep_items = false);

/// Records that this node is passive now, and forgets what was pending: another node will ask for it.
Report demote(Surroundings& surroundings);

/// One dumpster, as its hub describes it and as this node's agent has followed it.
struct DumpsterView {
  std::string hub;
  GroupStatus group;
  std::string active;
  std::uint64_t term = 0;
  std::optional<Watermark> followed;  ///< nothing: `watch` has not followed it under this marker
  std::optional<dumpster::Duration>
      lag;  ///< age of the oldest delivery that this node does not have; 0: none
};

/// What is kept, and what every hub says of the cluster, as JSON or for people.
struct StatusReport {
  State state;
  Report report;  ///< with the hubs that were reached
  std::vector<DumpsterView> dumpsters;
  std::string aside;  ///< why the agent may not act, though a hub calls this node active; empty otherwise
};
StatusReport status(Surroundings& surroundings);

}  // namespace recovery::agent
