#pragma once

#include <atomic>
#include <string>

#include "metrics/agent_metrics.hpp"
#include "recovery/agent/watch.hpp"

namespace recovery::agent {

struct WatchLoopSettings {
  std::string state_dir;
  std::string metrics_address;  ///< `host:port`; empty: nothing is served
  WatchSettings watch;
};

/// Runs `watch` until `stop`. It holds the lock of the state directory for one round at a time and gives way
/// at once to an operation that waits for it: `give_way` is then true until the round has ended, and the
/// clients, inventories and the clock of `surroundings` end what they do when it is. Gives an exit status: 0,
/// or 1 when the metrics cannot be served.
int watch_until(const std::atomic<bool>& stop, std::atomic<bool>& give_way, Surroundings& surroundings,
                const WatchLoopSettings& settings);

}  // namespace recovery::agent
