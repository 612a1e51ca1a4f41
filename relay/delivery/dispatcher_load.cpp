#include <utility>

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

bool Dispatcher::takes_mail(const Connections& connections) {
  if (connections.queue.dead()) return false;
  const auto* cluster = cluster_of(connections.queue.destination());
  return cluster == nullptr || open_for_work(*cluster);
}

void Dispatcher::slow_down() {
  auto slowdowns = std::make_shared<Slowdowns>();
  for (const auto& [destination, connections] : connections_) {
    const auto& queue = connections.queue;
    if (takes_mail(connections)) slowdowns->add(destination, queue.waiting() - queue.resubmitted_waiting());
  }
  const bool before = std::exchange(slowing_down_, !slowdowns->none());
  if (before || slowing_down_) settings_.slow_down(std::move(slowdowns));
}

}  // namespace relay
