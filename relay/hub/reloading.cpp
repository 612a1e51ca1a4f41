#include "relay/hub/reloading.hpp"

#include <algorithm>
#include <set>

#include "relay/hub/server_settings.hpp"

namespace relay {
namespace {

/// What of a cluster counts from the next start on: everything but the limits.
struct Shape {
  std::vector<std::string> nodes;
  std::set<std::string> groups;

  bool operator==(const Shape&) const = default;
};

std::map<std::string, Shape> shapes_of(const HubConfiguration& configuration) {
  std::map<std::string, Shape> shapes;
  for (const auto& cluster : configuration.clusters) {
    auto& shape = shapes[cluster.name];
    shape.nodes = cluster.nodes;
    for (const auto& group : cluster.storage_groups)
      shape.groups.insert(group.name);
  }
  return shapes;
}

std::map<std::string, std::map<std::string, NextHop>> routes_of(const HubConfiguration& configuration) {
  std::map<std::string, std::map<std::string, NextHop>> routes;
  for (const auto& cluster : configuration.routes)
    routes[cluster.name] = cluster.nodes;
  return routes;
}

}  // namespace

std::vector<std::string> kept_until_restart(const HubConfiguration& running, const HubConfiguration& read) {
  std::vector<std::string> kept;
  const auto note = [&](bool same, const char* key) {
    if (!same) kept.emplace_back(key);
  };
  note(running.name == read.name, "hub.name");
  note(running.data_dir == read.data_dir, "hub.data_dir");
  note(running.admin_socket == read.admin_socket, "hub.admin_socket");
  note(running.threads == read.threads, "hub.threads");
  note(same_ports(running.listeners, read.listeners), "listener");
  note(running.smarthost == read.smarthost, "relay.smarthost");
  note(running.back_off == read.back_off, "relay.retry_min or relay.retry_max");
  note(running.queue_lifetime == read.queue_lifetime, "relay.queue_lifetime");
  note(running.delay_warning == read.delay_warning, "relay.delay_warning");
  note(running.postmaster == read.postmaster, "relay.postmaster");
  note(running.connections_per_destination == read.connections_per_destination,
       "relay.connections_per_destination");
  note(running.max_outgoing_connections == read.max_outgoing_connections, "relay.max_outgoing_connections");
  note(shapes_of(running) == shapes_of(read) && routes_of(running) == routes_of(read), "cluster");
  note(running.recovery_address == read.recovery_address && running.recovery_tls == read.recovery_tls,
       "recovery.address or its TLS");
  note(running.in_doubt_wait == read.in_doubt_wait, "recovery.in_doubt_wait");
  note(running.resubmit_lifetime == read.resubmit_lifetime, "recovery.resubmit_lifetime");
  note(running.metrics_address == read.metrics_address, "metrics.address");
  return kept;
}

Dropped dropped(const HubConfiguration& running, const HubConfiguration& read) {
  Dropped gone;
  const auto remaining = shapes_of(read);
  for (const auto& [name, shape] : shapes_of(running)) {
    const auto found = remaining.find(name);
    if (found == remaining.end()) gone.clusters.push_back(name);
    const Shape left = found == remaining.end() ? Shape{} : found->second;
    for (const auto& group : shape.groups) {
      if (!left.groups.contains(group)) gone.storage_groups.push_back({name, group});
    }
    for (const auto& node : shape.nodes) {
      if (std::find(left.nodes.begin(), left.nodes.end(), node) == left.nodes.end())
        gone.nodes.push_back(name + '/' + node);
    }
  }
  return gone;
}

}  // namespace relay
