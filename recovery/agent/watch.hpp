#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "metrics/agent_metrics.hpp"
#include "recovery/agent/absence.hpp"
#include "recovery/agent/operation_steps.hpp"
#include "recovery/agent/tracker.hpp"

namespace recovery::agent {

struct WatchSettings {
  dumpster::Duration poll = std::chrono::seconds{2};
  bool report_replicated = false;
};

/// `watch`, round by round. Each round starts from the state as it is on disk, so that other operations may
/// run in between; what was sent is durable before it is sent, so that a round may be cut anywhere.
///
/// Passive: follows what the hubs deliver and confirms what has arrived here. Active: the same, and settles
/// what is in doubt, reports what is absent, brings hubs that are behind to the own term, finishes what is
/// pending. A higher term anywhere ends the active role.
///
/// Where a hub calls this node active and the agent may not act for it (`why_aside`), it says so and does not
/// count as being in touch: what is in doubt there waits for `in_doubt_wait` only.
class Watch {
 public:
  /// `surroundings` and `metrics` outlive it; `surroundings.state` is set for each round by the caller.
  Watch(Surroundings& surroundings, WatchSettings settings, metrics::AgentMetrics& metrics);

  /// One round. False when something went wrong, which is logged when it is new.
  bool round();

 private:
  struct BackOff {
    dumpster::Duration until{};
    dumpster::Duration pause{};
  };

  bool work(OperationSteps& steps);
  bool settle_role(OperationSteps& steps);
  bool settle_store(OperationSteps& steps);
  void adopt(OperationSteps& steps);
  bool finish_pending(OperationSteps& steps);
  void give_up_on_late_hubs(OperationSteps& steps);
  void bring_hubs_up(OperationSteps& steps);
  bool settle_in_doubt(OperationSteps& steps);
  bool track(OperationSteps& steps);
  void report_replicated(OperationSteps& steps);
  bool keep_ledger(OperationSteps& steps);
  void show(OperationSteps& steps, dumpster::Duration took);
  void show_lag();
  void show_aside(OperationSteps& steps);
  void back_off(OperationSteps& steps);
  bool trouble(const std::string& what);
  bool is_current(const State& state, const HubWork& hub) const;

  Surroundings& surroundings_;
  WatchSettings settings_;
  metrics::AgentMetrics& metrics_;
  Tracker tracker_;
  Absence absence_;
  std::map<std::string, BackOff> away_;
  std::map<DumpsterName, Instant> replicated_;     ///< what has been reported
  std::map<DumpsterName, std::uint64_t> evicted_;  ///< what has been counted
  std::string trouble_;                            ///< as it was logged last
  std::string aside_;                              ///< the same of why this agent stands aside
  dumpster::Duration next_fill_{};
  dumpster::Duration fill_pause_{};
  dumpster::Duration next_compaction_{};
};

}  // namespace recovery::agent
