#include "relay/hub/configuration/sections.hpp"

namespace relay {

using namespace std::chrono_literals;
using recovery::Microseconds;
using recovery::TomlTable;

namespace {

dumpster::StorageGroupDefinition read_storage_group(TomlTable group,
                                                    const dumpster::RetentionLimits& defaults,
                                                    std::set<std::string>& taken) {
  dumpster::StorageGroupDefinition read;
  read.name = checked_name(group, taken);
  read.limits = defaults;
  if (const auto size = group.optional_size("max_size")) read.limits.max_size = *size;
  if (const auto time = group.optional_duration("max_time")) read.limits.max_time = *time;
  group.close();
  return read;
}

}  // namespace

void read_cluster(TomlTable cluster, const dumpster::RetentionLimits& defaults, std::set<std::string>& taken,
                  HubConfiguration& made) {
  dumpster::ClusterDefinition read;
  ClusterRoutes routes;
  read.name = checked_name(cluster, taken);
  routes.name = read.name;
  std::set<std::string> nodes;
  for (auto node : cluster.tables("node", 1)) {
    const auto name = checked_name(node, nodes);
    const auto hop = read_next_hop(node, "deliver_to", node.name("deliver_to"));
    node.close();
    read.nodes.push_back(name);
    if (hop) routes.nodes.emplace(name, *hop);
  }
  read.first_active = cluster.name("active");
  if (!read.first_active.empty() && !nodes.contains(read.first_active)) {
    cluster.fault("active", "`active` \"" + read.first_active + "\" is not a node of this cluster");
  }
  std::set<std::string> groups;
  for (auto group : cluster.tables("storage_group", 1)) {
    read.storage_groups.push_back(read_storage_group(group, defaults, groups));
  }
  cluster.close();
  made.clusters.push_back(std::move(read));
  made.routes.push_back(std::move(routes));
}

}  // namespace relay
