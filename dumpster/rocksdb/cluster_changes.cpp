#include "dumpster/rocksdb/cluster_changes.hpp"

#include <algorithm>

#include "dumpster/rocksdb/lines.hpp"
#include "dumpster/rocksdb/matching.hpp"
#include "dumpster/rocksdb/resubmission_changes.hpp"

namespace dumpster::rocks {
namespace {

/// What was pinned by the old state of the cluster may be looked at again.
void search_lines_again(Change& change, std::string_view cluster) {
  for (const auto& [name, entry] : change.tables().groups) {
    if (name.cluster != cluster) continue;
    auto& group = change.edit_group(name);
    group.evict_from = Instant::min();
    group.truncate_from = Instant::min();
  }
}

/// They were about copies of what the node before had. The new active node may lack some of it, and the
/// others follow it from now on.
void forget_reports(Change& change, std::string_view cluster) {
  for (const auto& [name, entry] : change.tables().groups) {
    if (name.cluster == cluster && !entry.record.replicated.empty())
      change.edit_group(name).record.replicated.clear();
  }
}

}  // namespace

void require_current(const Change& change, const std::string& cluster, const std::string& node,
                     std::uint64_t term) {
  const auto& record = change.cluster(cluster).record;
  if (record.active == node && record.term == term) return;
  throw Refused{{Fault::conflict, "the active node of " + cluster + " is " + record.active + " in term " +
                                      std::to_string(record.term)}};
}

void note_agent(Change& change, const std::string& cluster, const std::string& node, Instant heard) {
  if (change.cluster(cluster).record.active != node) return;
  auto& seen = change.edit_cluster(cluster).agent_seen;
  const auto found =
      std::find_if(seen.begin(), seen.end(), [&](const auto& one) { return one.first == node; });
  if (found == seen.end()) {
    seen.emplace_back(node, heard);
  } else {
    found->second = std::max(found->second, heard);
  }
}

ActivationResult activate(Change& change, const Activation& activation) {
  const auto& entry = change.cluster(activation.cluster);
  const auto& nodes = entry.definition.nodes;
  if (std::find(nodes.begin(), nodes.end(), activation.node) == nodes.end()) {
    throw Refused{{Fault::not_found, activation.cluster + " has no node " + activation.node}};
  }
  ActivationResult result;
  const bool again = entry.record.active == activation.node && entry.record.term == activation.term;
  result.applied = again || activation.term > entry.record.term;
  if (result.applied && !again) {
    result.touched = end_resubmissions(change, activation.cluster);
    auto& record = change.edit_cluster(activation.cluster);
    record.active = activation.node;
    record.term = activation.term;
    record.kind = activation.kind;
    record.activated_at = change.clock();
    record.recovered = false;
    search_lines_again(change, activation.cluster);
    forget_reports(change, activation.cluster);
  }
  if (result.applied && activation.by_agent)
    note_agent(change, activation.cluster, activation.node, change.clock());
  result.state = entry.state();
  result.now = change.next_time();
  return result;
}

Done recovered(Change& change, const std::string& cluster, const std::string& node, std::uint64_t term) {
  require_current(change, cluster, node, term);
  change.edit_cluster(cluster).recovered = true;
  search_lines_again(change, cluster);
  return {};
}

ClusterState hold(Change& change, const std::string& cluster, std::optional<Instant> until) {
  const auto& entry = change.cluster(cluster);
  if (entry.record.held_until != until) change.edit_cluster(cluster).held_until = until;
  return entry.state();
}

Done mark_absent(Change& change, const AbsentReport& report) {
  change.group(report.group);
  require_current(change, report.group.cluster, report.node, report.term);
  for (const auto& item : report.items) {
    for (const auto& line : lines_of(change, report.group, item.delivery_id)) {
      if (line.line.state != DeliveryState::delivered) continue;
      const auto matching = matching_recipients(line.line, item.recipients);
      if (matching.empty()) continue;
      alter_part(change, report.group, line, matching,
                 [](LineRecord& absent) { absent.line.state = DeliveryState::absent; });
    }
  }
  return {};
}

Instant report_replicated(Change& change, const ReplicationReport& report) {
  const auto& cluster = change.cluster(report.group.cluster);
  const auto& nodes = cluster.definition.nodes;
  if (std::find(nodes.begin(), nodes.end(), report.node) == nodes.end())
    throw Refused{{Fault::not_found, report.group.cluster + " has no node " + report.node}};
  if (cluster.record.active == report.node) {
    throw Refused{{Fault::conflict, report.node + " is the active node of " + report.group.cluster +
                                        ": what is replicated is said by the passive ones"}};
  }
  // What will be delivered from now on has a later time than this.
  const auto through = std::min(report.through, change.tables().hub.last_time);
  const auto& known = change.group(report.group).record.replicated;
  const auto is_its = [&](const ReplicatedThrough& one) { return one.node == report.node; };
  const auto before = std::find_if(known.begin(), known.end(), is_its);
  if (before != known.end() && before->through >= through) return before->through;
  auto& reports = change.edit_group(report.group).record.replicated;
  std::erase_if(reports, is_its);
  reports.push_back({report.node, through});
  return through;
}

}  // namespace dumpster::rocks
