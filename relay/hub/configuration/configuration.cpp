#include "relay/hub/configuration.hpp"

#include <algorithm>

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

/// What no port can be opened for twice; port 0 is a different one each time. An address of all interfaces
/// takes the port from the others.
void find_ports_given_twice(const recovery::TomlTable& root, const HubConfiguration& made) {
  std::vector<ListenAddress> taken;
  const auto take = [&](const ListenAddress& address, std::string_view key) {
    const bool twice = std::any_of(taken.begin(), taken.end(), [&](const ListenAddress& other) {
      const bool same_host = other.address == address.address ||
                             ((other.address.is_unspecified() || address.address.is_unspecified()) &&
                              other.address.is_v4() == address.address.is_v4());
      return address.port != 0 && other.port == address.port && same_host;
    });
    if (twice) {
      root.fault(key, "port " + std::to_string(address.port) + " of `" + std::string{key} +
                          "` is given to another listener already");
    }
    taken.push_back(address);
  };
  for (const auto& listener : made.listeners)
    take(listener.address, "listener");
  if (made.recovery_address) take(*made.recovery_address, "recovery");
  if (made.metrics_address) take(*made.metrics_address, "metrics");
}

void check_authentication(const recovery::TomlTable& root, const HubConfiguration& made) {
  const bool required = std::any_of(made.listeners.begin(), made.listeners.end(),
                                    [](const auto& listener) { return listener.require_auth; });
  if (required && made.passwords.empty())
    root.fault("relay", "a listener has `require_auth`: `passwords` is wanted in [relay]");
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
  const auto defaults = read_dumpster(root.table("dumpster"));
  std::set<std::string> clusters;
  for (auto cluster : root.tables("cluster"))
    read_cluster(cluster, defaults, clusters, made);
  read_directory(root.table("directory", recovery::required), made);  // names storage groups
  const auto next_hops = root.tables("next_hop");
  for (const auto& next_hop : next_hops)
    read_next_hop_policy(next_hop, made);
  check_next_hops(next_hops, made);
  read_recovery(root.table("recovery"), root.has("recovery"), made);
  auto metrics = root.table("metrics");
  made.metrics_address = address_of(metrics, metrics.optional_string("address"));
  metrics.close();
  find_ports_given_twice(root, made);
  check_authentication(root, made);
  root.close();
  add_warnings(made);
  reading.faults = document.faults();
  return reading;
}

}  // namespace relay
