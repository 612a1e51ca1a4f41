#pragma once

#include <algorithm>
#include <map>
#include <mutex>
#include <string>

#include "dumpster/cluster.hpp"

namespace dumpster::rocks {

/// When agents were last heard; the times in the store lie behind by up to a minute. Thread-safe.
class AgentContacts {
 public:
  void heard(const std::string& cluster, const std::string& node, Instant now) {
    const std::lock_guard lock{mutex_};
    auto& last = contacts_[{cluster, node}];
    last = std::max(last, now);
  }

  /// Brings what the store knows up to date.
  void show_in(ClusterState& state) const {
    const std::lock_guard lock{mutex_};
    for (auto& [node, seen] : state.agent_seen) {
      const auto last = contacts_.find({state.name, node});
      if (last != contacts_.end()) seen = std::max(seen, last->second);
    }
  }

 private:
  mutable std::mutex mutex_;
  std::map<std::pair<std::string, std::string>, Instant> contacts_;  ///< by cluster and node
};

}  // namespace dumpster::rocks
