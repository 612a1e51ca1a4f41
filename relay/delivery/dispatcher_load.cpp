#include "relay/delivery/dispatcher.hpp"

namespace relay {

void Dispatcher::load(std::string cluster, std::function<void(Load)> done) {
  on_own_thread([this, cluster = std::move(cluster), done = std::move(done)] {
    Load load;
    load.loading = to_reload_.size() + reloading_.size();
    const auto found = connections_.find(Destination{ClusterDestination{cluster}});
    if (found != connections_.end()) {
      const auto& connections = found->second;
      load.resubmitted_waiting = connections.queue.resubmitted_waiting();
      load.fresh_waiting = connections.queue.waiting() - load.resubmitted_waiting;
      load.in_flight = connections.in_flight;
      load.unreachable = connections.queue.dead();
    }
    const auto known = clusters_.find(cluster);
    if (known != clusters_.end()) load.held = known->second.state.held_until > clock_.now();
    done(load);
  });
}

}  // namespace relay
