#pragma once

#include <string>

#include "dumpster/rocksdb/change.hpp"
#include "dumpster/store.hpp"

namespace dumpster::rocks {

// Changes of clusters, as `Store` describes them.

ActivationResult activate(Change& change, const Activation& activation);
Done recovered(Change& change, const std::string& cluster, const std::string& node, std::uint64_t term);
ClusterState hold(Change& change, const std::string& cluster, std::optional<Instant> until);
Done mark_absent(Change& change, const AbsentReport& report);

/// Notes when the agent of the active node was heard; passed over for other nodes.
void note_agent(Change& change, const std::string& cluster, const std::string& node, Instant heard);

/// Refuses with `conflict` unless node and term are the current ones of the cluster.
void require_current(const Change& change, const std::string& cluster, const std::string& node,
                     std::uint64_t term);

/// Gives what stands for the node now.
Instant report_replicated(Change& change, const ReplicationReport& report);

}  // namespace dumpster::rocks
