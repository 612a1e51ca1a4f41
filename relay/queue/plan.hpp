#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "dumpster/spool.hpp"
#include "relay/directory/directory.hpp"
#include "relay/queue/hold.hpp"
#include "relay/queue/job.hpp"

namespace relay {

using LookedUp = std::map<std::string, Lookup>;

struct PlanConditions {
  dumpster::Instant now{};
  dumpster::Duration retry_min = std::chrono::seconds{5};
  std::optional<NextHop> smarthost;
  std::uint32_t max_recipients_per_job = 1000;
  /// Of the cluster of that name; nothing for one that is not configured.
  std::function<std::optional<HoldConditions>(const std::string& cluster)> hold;
  /// What comes from a backup and cannot be settled by evidence waits until then, whatever its route.
  dumpster::Instant from_backup_until{};
  /// A cluster that was just activated: back-off against its old node does not count any more.
  std::string expedited_cluster;
  /// What the directory has answered meanwhile to `Plan::to_look_up` of an earlier plan, by address.
  LookedUp looked_up;
};

/// A recipient for whom there is no way any more.
struct Unroutable {
  std::uint32_t index = 0;
  std::string reply;
};

/// A recipient whose route the directory does not have at hand.
struct ToLookUp {
  std::uint32_t index = 0;
  std::string address;
};

/// What is to be done for a message now.
struct Plan {
  std::vector<Job> jobs;
  std::vector<Unroutable> unroutable;
  std::vector<ToLookUp> to_look_up;           ///< ask, and plan again with the answers
  std::optional<dumpster::Instant> again_at;  ///< when to plan again for those that wait
};

/// Where a recipient's next attempt would go.
struct FoundRoute {
  std::optional<Destination> destination;  ///< none: the directory does not know it, or cannot say now
  std::optional<dumpster::StorageGroup> group;
  std::string name;  ///< as in metrics and logs
};
FoundRoute find_route(const dumpster::SpoolEntry& entry, const std::string& address,
                      const Directory& directory, const std::optional<NextHop>& smarthost);

/// Whether the directory's `answer` leads a recipient of a waiting job elsewhere than the job goes, or to
/// another mailbox there. Where it has no route (any more, or at the moment) the recipient stays: whether it
/// bounces is decided by its next attempt. So does what belongs to a line of the dumpster.
bool leads_elsewhere(const Job& job, const JobRecipient& recipient, const Lookup& answer);

/// Resolves the route of each recipient that is due and in no job yet, anew at each attempt, and groups them
/// into jobs: recipients of one storage group in one transaction. What belongs to a line of the dumpster
/// keeps its storage group whatever the directory says (promise 7). Marks nothing as busy.
Plan plan_jobs(const std::shared_ptr<QueuedMessage>& message, const Directory& directory,
               const PlanConditions& conditions);

}  // namespace relay
