#include "relay/queue/plan.hpp"

#include <algorithm>

namespace relay {
namespace {

struct Way {
  Route route;
  std::string mailbox;
};

struct NotAtHand {};

using Found = std::variant<Way, LookupFault, NotAtHand>;

Way group_route(const dumpster::StorageGroup& group, const std::string& mailbox) {
  return {{ClusterDestination{group.cluster}, group}, mailbox};
}

/// Aliases were followed at acceptance: an address of the spool stands for itself, whatever it has become
/// since.
Way way_to(const Resolved& resolved) {
  if (const auto* group = std::get_if<dumpster::StorageGroup>(&resolved.route))
    return group_route(*group, resolved.mailbox);
  return {{std::get<NextHop>(resolved.route), std::nullopt}, {}};
}

Found route_of(const dumpster::SpoolEntry& entry, const std::string& address, const Directory& directory,
               const PlanConditions& conditions) {
  if (entry.group) return group_route(*entry.group, entry.mailbox);
  const auto known = conditions.looked_up.find(address);
  const auto answer =
      known != conditions.looked_up.end() ? std::optional<Lookup>{known->second} : directory.find(address);
  if (!answer) return NotAtHand{};
  const auto& found = *answer;
  if (const auto* fault = std::get_if<LookupFault>(&found)) {
    if (*fault == LookupFault::unknown && conditions.smarthost) {
      return Way{{*conditions.smarthost, std::nullopt, true}, {}};
    }
    return *fault;
  }
  return way_to(std::get<std::vector<Resolved>>(found).front());
}

void wait_until(Plan& plan, dumpster::Instant instant) {
  plan.again_at = plan.again_at ? std::min(*plan.again_at, instant) : instant;
}

Job& job_for(Plan& plan, const std::shared_ptr<QueuedMessage>& message, const Route& route, bool resubmission,
             std::uint32_t max_recipients) {
  for (auto& job : plan.jobs) {
    if (*job.route == route && job.resubmission == resubmission && job.recipients.size() < max_recipients) {
      return job;
    }
  }
  Job job;
  job.message = message;
  job.route = std::make_shared<const Route>(route);
  job.resubmission = resubmission;
  return plan.jobs.emplace_back(std::move(job));
}

}  // namespace

FoundRoute find_route(const dumpster::SpoolEntry& entry, const std::string& address,
                      const Directory& directory, const std::optional<NextHop>& smarthost) {
  PlanConditions conditions;
  conditions.smarthost = smarthost;
  const auto found = route_of(entry, address, directory, conditions);
  const auto* way = std::get_if<Way>(&found);
  if (way == nullptr) return {};
  return {way->route.destination, way->route.group, way->route.name()};
}

bool leads_elsewhere(const Job& job, const JobRecipient& recipient, const Lookup& answer) {
  const auto* resolved = std::get_if<std::vector<Resolved>>(&answer);
  const auto* entry = job.message->entry(recipient.index);
  if (resolved == nullptr || entry == nullptr || entry->group) return false;
  const auto way = way_to(resolved->front());
  return way.route != *job.route || way.mailbox != recipient.mailbox;
}

Plan plan_jobs(const std::shared_ptr<QueuedMessage>& message, const Directory& directory,
               const PlanConditions& conditions) {
  Plan plan;
  const auto& spooled = message->spooled;
  for (const auto& entry : spooled.entries) {
    if (message->busy.contains(entry.index) || entry.held) continue;
    // Whose turn has not come is looked up then. Back-off against an old node counts for nobody's route but
    // its own, which has to be known.
    if (entry.next_attempt > conditions.now && conditions.expedited_cluster.empty()) {
      wait_until(plan, entry.next_attempt);
      continue;
    }
    const auto& address = spooled.message.envelope.recipients.at(entry.index).address;
    const auto found = route_of(entry, address, directory, conditions);
    if (std::holds_alternative<NotAtHand>(found)) {
      plan.to_look_up.push_back({entry.index, address});
      continue;
    }
    if (const auto* fault = std::get_if<LookupFault>(&found)) {
      if (*fault == LookupFault::unavailable) {
        wait_until(plan, conditions.now + conditions.retry_min);
      } else {
        plan.unroutable.push_back({entry.index, *fault == LookupFault::unknown
                                                    ? "550 5.1.1 no such mailbox here"
                                                    : "550 5.4.6 aliases form a loop"});
      }
      continue;
    }
    const auto& [route, mailbox] = std::get<Way>(found);
    auto due = entry.next_attempt;
    if (route.group) {
      if (route.group->cluster == conditions.expedited_cluster) due = conditions.now;
      const auto hold = conditions.hold(route.group->cluster);
      if (!hold) {  // its cluster is not configured now; a reload may bring it back
        wait_until(plan, conditions.now + conditions.retry_min);
        continue;
      }
      if (const auto held = held_until(entry, *hold)) due = std::max(due, *held);
    }
    if (entry.from_backup && !entry.in_doubt) due = std::max(due, conditions.from_backup_until);
    if (due > conditions.now) {
      wait_until(plan, due);
      continue;
    }
    job_for(plan, message, route, !entry.resubmission.is_nil(), conditions.max_recipients_per_job)
        .recipients.push_back({entry.index, mailbox});
  }
  return plan;
}

}  // namespace relay
