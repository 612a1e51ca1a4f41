#include "dumpster/rocksdb/gauges.hpp"

#include <algorithm>

namespace dumpster::rocks {
namespace {

template <class Time>
double seconds(Time time) {
  return std::chrono::duration<double>(time).count();
}

}  // namespace

void show_gauges(const Tables& tables, const TrafficBook& traffic, const SpoolTotals& spool, Instant now,
                 metrics::HubMetrics& metrics) {
  for (const auto& [name, group] : tables.groups) {
    const bool off = group.limits.off();
    const auto covered_from = off ? now : group.record.covered_from;
    metrics.storage_group(name.cluster, name.group,
                          {group.record.messages, group.record.bytes, group.record.in_doubt,
                           seconds(covered_from.time_since_epoch()), off ? 0 : group.limits.max_size,
                           size_needed(traffic.of(name), now, group.limits.max_time).bytes});
  }
  for (const auto& [name, cluster] : tables.clusters) {
    metrics.cluster_term(name, cluster.record.term);
    for (const auto& node : cluster.definition.nodes) {
      metrics.cluster_node(name, node, node == cluster.record.active);
    }
    for (const auto& [node, seen] : cluster.record.agent_seen)
      metrics.agent_seen(name, node, seconds(seen.time_since_epoch()));
  }
  for (const auto state : {ResubmissionState::running, ResubmissionState::paused,
                           ResubmissionState::completed, ResubmissionState::cancelled}) {
    const auto found = tables.resubmissions.find(state);
    metrics.resubmissions(to_string(state), found == tables.resubmissions.end() ? 0 : found->second);
  }
  const auto age = spool.oldest ? std::max(now - *spool.oldest, Duration::zero()) : Duration::zero();
  metrics.spool(spool.messages, spool.bytes, seconds(age));
}

}  // namespace dumpster::rocks
