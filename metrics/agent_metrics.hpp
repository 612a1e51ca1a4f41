#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace metrics {

/// Everything that `dumpster-agent watch` counts. Names and help stand in `agent_metrics.cpp` alone; the
/// table in README.md is compared with the exposition by a test. Thread-safe.
class AgentMetrics {
 public:
  explicit AgentMetrics(std::string_view cluster);
  ~AgentMetrics();
  AgentMetrics(const AgentMetrics&) = delete;
  AgentMetrics& operator=(const AgentMetrics&) = delete;

  void role(bool active, std::uint64_t term);
  /// Whether the mail store is there and carries this node's marker.
  void store_valid(bool valid);
  /// Whether a hub calls this node active and the agent may not act for it.
  void standing_aside(bool aside);
  void hubs(std::uint64_t reached, std::uint64_t away, std::uint64_t pending, std::uint64_t never_asked);
  void replication(std::string_view group, double lag_seconds, std::uint64_t unconfirmed);
  void evicted_unconfirmed(std::string_view group, std::uint64_t deliveries);
  void confirmed(std::uint64_t recipients);
  void absent(std::uint64_t recipients);
  void settled(std::uint64_t present, std::uint64_t delivered);
  void ledger_entries(std::uint64_t entries);
  void round_ended(bool done);
  void round_took(double seconds, double ended_at);

  /// Prometheus text, version 0.0.4.
  std::string exposition() const;

 private:
  struct Families;
  std::unique_ptr<Families> families_;
};

}  // namespace metrics
