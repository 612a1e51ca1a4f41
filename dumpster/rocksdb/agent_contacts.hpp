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

  /// Brings what the store knows up to date, a first contact included that is still being written.
  void show_in(ClusterState& state) const {
    const std::lock_guard lock{mutex_};
    for (const auto& node : state.nodes) {
      const auto last = contacts_.find({state.name, node});
      if (last == contacts_.end()) continue;
      const auto known = std::find_if(state.agent_seen.begin(), state.agent_seen.end(),
                                      [&](const auto& seen) { return seen.first == node; });
      if (known == state.agent_seen.end()) {
        state.agent_seen.emplace_back(node, last->second);
      } else {
        known->second = std::max(known->second, last->second);
      }
    }
  }

 private:
  mutable std::mutex mutex_;
  std::map<std::pair<std::string, std::string>, Instant> contacts_;  ///< by cluster and node
};

}  // namespace dumpster::rocks
