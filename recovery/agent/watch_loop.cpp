#include "recovery/agent/watch_loop.hpp"

#include <chrono>
#include <thread>

#include "metrics/log.hpp"
#include "recovery/agent/metrics_server.hpp"

namespace recovery::agent {
namespace {

using namespace std::chrono_literals;

/// Looks whether the round under way has to give way.
class Doorkeeper {
 public:
  Doorkeeper(const std::atomic<bool>& stop, std::atomic<bool>& give_way, const std::string& directory)
      : thread_([this, &stop, &give_way, directory] {
          while (!done_) {
            if (stop || (in_round_ && operation_waits(directory))) give_way = true;
            std::this_thread::sleep_for(50ms);
          }
        }) {}
  Doorkeeper(const Doorkeeper&) = delete;
  Doorkeeper& operator=(const Doorkeeper&) = delete;
  ~Doorkeeper() {
    done_ = true;
    thread_.join();
  }

  void in_round(bool begun) { in_round_ = begun; }

 private:
  std::atomic<bool> done_{false};
  std::atomic<bool> in_round_{false};
  std::thread thread_;
};

void pause(const std::atomic<bool>& stop, dumpster::Duration duration) {
  const auto end = std::chrono::steady_clock::now() + duration;
  while (!stop && std::chrono::steady_clock::now() < end)
    std::this_thread::sleep_for(20ms);
}

}  // namespace

int watch_until(const std::atomic<bool>& stop, std::atomic<bool>& give_way, Surroundings& surroundings,
                const WatchLoopSettings& settings) {
  metrics::AgentMetrics counted{surroundings.cluster};
  MetricsServer server;
  if (!settings.metrics_address.empty()) {
    const auto listening =
        server.start(settings.metrics_address, [&counted] { return counted.exposition(); });
    if (!listening) {
      metrics::log_error("metrics cannot be served", {{"reason", listening.error().detail}});
      return 1;
    }
  }
  Watch watch{surroundings, settings.watch, counted};
  Doorkeeper doorkeeper{stop, give_way, settings.state_dir};
  metrics::log_info("watch", {{"cluster", surroundings.cluster}, {"node", surroundings.node}});
  std::string complaint;
  while (!stop) {
    auto state = open_state_for_round(settings.state_dir, surroundings.cluster, surroundings.node);
    if (!state && state.error().detail != complaint) {
      complaint = state.error().detail;
      metrics::log_error("state", {{"reason", complaint}});
    }
    if (state && *state) {
      complaint.clear();
      surroundings.state = std::move(*state);
      give_way = false;
      doorkeeper.in_round(true);
      watch.round();
      doorkeeper.in_round(false);
      surroundings.state.reset();
    }
    // While an operation runs it is soon looked again.
    const bool worked = state && *state && !give_way;
    pause(stop, worked ? settings.watch.poll : std::min<dumpster::Duration>(settings.watch.poll, 200ms));
  }
  metrics::log_info("watch ends");
  return 0;
}

}  // namespace recovery::agent
