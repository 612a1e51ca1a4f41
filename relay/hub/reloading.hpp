#pragma once

#include <string>
#include <vector>

#include "relay/hub/configuration.hpp"

namespace relay {

/// Keys that differ between the running configuration and the one just read, and that count from the next
/// start on only. Limits of retention, `resubmit_rate`, recipients and tokens are not among them.
std::vector<std::string> kept_until_restart(const HubConfiguration& running, const HubConfiguration& read);

/// Clusters, storage groups (`cluster/group`) and nodes (`cluster/node`) that the running hub has and the
/// configuration just read has not.
struct Dropped {
  std::vector<std::string> clusters;
  std::vector<dumpster::StorageGroup> storage_groups;
  std::vector<std::string> nodes;

  bool any() const { return !clusters.empty() || !storage_groups.empty() || !nodes.empty(); }
};
Dropped dropped(const HubConfiguration& running, const HubConfiguration& read);

}  // namespace relay
