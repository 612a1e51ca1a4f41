#include "relay/hub/configuration.hpp"

#include "relay/hub/configuration/sections.hpp"

namespace relay {
namespace {

void add_warnings(HubConfiguration& made) {
  for (const auto& cluster : made.clusters) {
    if (cluster.nodes.size() < 2) {
      made.warnings.push_back("cluster " + cluster.name + " has one node: there is nothing to fail over to");
    }
    for (const auto& group : cluster.storage_groups) {
      const auto name = cluster.name + "/" + group.name;
      if (group.limits.off()) {
        made.warnings.push_back("retention is off for " + name +
                                ": nothing can be resubmitted after a failover");
      } else if (group.limits.max_size < made.max_message_size + made.max_message_size / 2) {
        made.warnings.push_back("max_size of " + name + " is below 1.5 times max_message_size");
      }
    }
  }
}

}  // namespace

ConfigurationReading read_configuration(const std::string& path) {
  ConfigurationReading reading;
  auto& made = reading.configuration;
  const auto document = recovery::TomlDocument::read(path);
  auto root = document.root();
  read_hub(root.table("hub", recovery::required), made);
  for (auto listener : root.tables("listener", 1))
    read_listener(listener, made);
  read_relay(root.table("relay"), made);
  read_directory(root.table("directory", recovery::required), made);
  const auto defaults = read_dumpster(root.table("dumpster"));
  std::set<std::string> clusters;
  for (auto cluster : root.tables("cluster"))
    read_cluster(cluster, defaults, clusters, made);
  const auto next_hops = root.tables("next_hop");
  for (const auto& next_hop : next_hops)
    read_next_hop_policy(next_hop, made);
  check_next_hops(next_hops, made);
  read_recovery(root.table("recovery"), root.has("recovery"), made);
  auto metrics = root.table("metrics");
  made.metrics_address = address_of(metrics, metrics.optional_string("address"));
  metrics.close();
  root.close();
  add_warnings(made);
  reading.faults = document.faults();
  return reading;
}

}  // namespace relay
