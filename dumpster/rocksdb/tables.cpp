#include "dumpster/rocksdb/tables.hpp"

namespace dumpster::rocks {

ClusterState ClusterEntry::state() const {
  ClusterState state;
  state.name = definition.name;
  state.nodes = definition.nodes;
  state.active = record.active;
  state.term = record.term;
  state.kind = record.kind;
  state.activated_at = record.activated_at;
  state.recovered = record.recovered;
  state.agent_seen = record.agent_seen;
  state.held_until = record.held_until;
  return state;
}

const ClusterEntry* Tables::find_cluster(std::string_view name) const {
  const auto found = clusters.find(name);
  return found == clusters.end() ? nullptr : &found->second;
}

const GroupEntry* Tables::find_group(const StorageGroup& name) const {
  const auto found = groups.find(name);
  return found == groups.end() ? nullptr : &found->second;
}

std::vector<StorageGroup> Tables::group_names() const {
  std::vector<StorageGroup> names;
  for (const auto& [name, group] : groups)
    names.push_back(name);
  return names;
}

}  // namespace dumpster::rocks
