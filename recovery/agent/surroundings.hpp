#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "recovery/agent/agent_clock.hpp"
#include "recovery/agent/hub_client.hpp"
#include "recovery/agent/inventory.hpp"
#include "recovery/agent/ledger.hpp"
#include "recovery/agent/report.hpp"
#include "recovery/agent/state.hpp"
#include "recovery/agent/store_marker.hpp"

namespace recovery::agent {

/// What an operation works with, and its settings from the agent's file and the command line.
struct Surroundings {
  std::string cluster;
  std::string node;
  dumpster::Duration lookback{};
  dumpster::Duration margin{};
  dumpster::Duration settle{};
  dumpster::Duration wait{};  ///< how long a hub may be out of reach
  /// How long nothing may be delivered before `promote` and `fill` leave what still waits to the hubs. Twice
  /// `settle` at least.
  dumpster::Duration patience = std::chrono::seconds{60};
  std::vector<std::unique_ptr<HubClient>> hubs;
  std::unique_ptr<InventorySource> inventory;
  std::unique_ptr<StateStore> state;
  std::unique_ptr<MarkerPlace> marker;  ///< null: none is configured, and nothing is confirmed
  std::unique_ptr<LedgerStore> ledger;  ///< null: nothing is kept
  /// Whether this hub is not to be asked this time; may be empty.
  std::function<bool(const std::string& address)> skips;
  AgentClock* clock = nullptr;
  /// Returns when nothing more can arrive from the old active node; empty when none is configured.
  std::function<dumpster::Result<void>()> quiesce;
  /// Tells whoever waits how far it is; may be empty. Called from several threads.
  std::function<void(const std::string&)> progress;

  void tell(const std::string& what) const {
    if (progress) progress(what);
  }
};

/// One hub in the course of an operation. Its own thread works on it at a time.
struct HubWork {
  HubClient* client = nullptr;
  HubReport report;
  bool going = false;  ///< reached, and nothing has gone wrong: later steps work on it
  HubIdentity identity;
  ClusterStatus status;
  KnownHub known;
  Instant from{};              ///< where its window starts, in its time
  Instant open_since{};        ///< all before is confirmed or known to be lost: coverage counts from here
  Instant activated_at{};      ///< in its time
  dumpster::Duration ahead{};  ///< the agent's clock less the hub's
  std::string conflict;        ///< the hub has a higher term than this operation's; empty otherwise

  const std::string& address() const { return client->address(); }

  /// No later step works on it. What could not be reached is remembered; what was refused is an error.
  void give_up(const HubError& error);
};

/// Runs `step` for each hub that is going, side by side.
void side_by_side(std::vector<HubWork>& hubs, const std::function<void(HubWork&)>& step);

/// Repeats `call` while the hub is out of reach, for `wait` at the most.
template <class Call>
auto patiently(AgentClock& clock, dumpster::Duration wait, Call call) -> decltype(call()) {
  const dumpster::Duration end = clock.elapsed() + wait;
  for (;;) {
    auto result = call();
    if (result || result.error().kind != HubError::Kind::unreachable || clock.elapsed() >= end) return result;
    if (!clock.pause(std::chrono::milliseconds{500})) return result;
  }
}

}  // namespace recovery::agent
