#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "dumpster/delivery.hpp"
#include "dumpster/instant.hpp"

namespace dumpster {

/// Limits of retention of one storage group. 0 in either switches retention off.
struct RetentionLimits {
  std::uint64_t max_size = 1ULL << 30;  ///< bytes
  Duration max_time = std::chrono::hours{24 * 7};
  /// What every passive node has reported as replicated goes, too.
  bool truncate_replicated = false;

  bool off() const { return max_size == 0 || max_time == Duration::zero(); }
  bool operator==(const RetentionLimits&) const = default;
};

struct StorageGroupDefinition {
  std::string name;
  RetentionLimits limits;
};

/// A cluster as configured.
struct ClusterDefinition {
  std::string name;
  std::vector<std::string> nodes;  ///< in the order of the configuration, which gives each its place
  std::string first_active;        ///< at the very first start; afterwards the last activation counts
  std::vector<StorageGroupDefinition> storage_groups;
};

enum class ActivationKind : std::uint8_t { lossy = 1, lossless = 2 };

std::string_view to_string(ActivationKind kind);
std::optional<ActivationKind> activation_kind_from(std::string_view text);

/// What the store knows of a cluster.
struct ClusterState {
  std::string name;
  std::vector<std::string> nodes;
  std::string active;
  std::uint64_t term = 0;  ///< begins at 0
  ActivationKind kind = ActivationKind::lossless;
  Instant activated_at{};
  bool recovered =
      true;  ///< false from an activation until the agent's report; meanwhile older terms are not evicted
  /// Deliveries to the cluster stop until then; nothing when nobody holds it. A time that is over holds
  /// nothing.
  std::optional<Instant> held_until;
  /// When each node's agent was last heard while its node was the active one. Durable in that it ever was;
  /// its exact time is not.
  std::vector<std::pair<std::string, Instant>> agent_seen;

  /// Whether the active node ever had an agent: only then are recipients in doubt held.
  bool has_agent() const;
  bool held(Instant now) const { return held_until && now < *held_until; }
};

/// What the store knows of one storage group.
struct StorageGroupState {
  StorageGroup name;
  RetentionLimits limits;
  std::uint64_t messages = 0;  ///< delivery lines retained
  std::uint64_t bytes = 0;     ///< sum of their sizes
  std::uint64_t in_doubt = 0;  ///< recipients in doubt
  std::optional<Instant> oldest;
  std::optional<Instant> newest;
  Instant covered_from{};
};

}  // namespace dumpster
