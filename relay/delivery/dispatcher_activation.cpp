#include <boost/asio/post.hpp>

#include "metrics/log.hpp"
#include "relay/delivery/dispatcher.hpp"

namespace relay {

void Dispatcher::activate(dumpster::Activation activation,
                          dumpster::Completion<dumpster::ActivationResult> done) {
  on_own_thread([this, activation = std::move(activation), done = std::move(done)]() mutable {
    if (!store_.writable()) {
      // Asked again later; no transaction is broken off for what cannot be written.
      done(dumpster::Error{dumpster::Fault::unavailable, "the store cannot write at the moment"});
      return;
    }
    const auto found = clusters_.find(activation.cluster);
    if (found == clusters_.end() || (loaded_ && activation.term <= found->second.state.term)) {
      // Nothing will change: the store says what stands, and no transaction is broken off for it.
      store_.activate(std::move(activation), std::move(done));
      return;
    }
    const auto cluster = activation.cluster;
    const bool raised = !found->second.activations.empty();
    found->second.activations.push_back({std::move(activation), std::move(done)});
    if (!raised) raise_barrier(cluster);
  });
}

/// From here until the activation is written nothing new begins for the cluster, and all that is under way is
/// broken off; each broken transaction is recorded as unsent or in doubt.
void Dispatcher::raise_barrier(const std::string& cluster) {
  auto& connections = connections_to(ClusterDestination{cluster});
  std::set<std::shared_ptr<Worker>> all{connections.connecting};
  all.insert(connections.working.begin(), connections.working.end());
  for (const auto& [worker, since] : connections.idle)
    all.insert(worker);
  for (const auto& worker : all) {
    destination_of_.erase(worker);
    worker->cut();
  }
  connections.connecting.clear();
  connections.working.clear();
  connections.idle.clear();
  pass_barrier(cluster);
}

void Dispatcher::pass_barrier(const std::string& cluster) {
  const auto found = clusters_.find(cluster);
  if (found == clusters_.end()) return;
  auto& at_work = found->second;
  // What may have been under way when the run before crashed is recorded as in doubt first, too.
  if (!loaded_ || at_work.activations.empty() || at_work.activating) return;
  if (connections_to(ClusterDestination{cluster}).in_flight > 0 || has_unrecorded(cluster)) return;
  at_work.activating = true;
  store_.activate(at_work.activations.front().activation,
                  [this, cluster](dumpster::Result<dumpster::ActivationResult> result) {
                    on_own_thread([this, cluster, result = std::move(result)]() mutable {
                      activated(cluster, std::move(result));
                    });
                  });
}

void Dispatcher::activated(const std::string& cluster, dumpster::Result<dumpster::ActivationResult> result) {
  auto& at_work = clusters_.at(cluster);
  auto done = std::move(at_work.activations.front().done);
  at_work.activations.pop_front();
  at_work.activating = false;
  auto& connections = connections_to(ClusterDestination{cluster});
  if (result) {
    at_work.state = result->state;
    at_work.unsure = false;
    if (result->applied) {
      connections.queue.reset();
      metrics::log_info("activated", {{"cluster", cluster},
                                      {"node", result->state.active},
                                      {"term", result->state.term},
                                      {"kind", dumpster::to_string(result->state.kind)}});
    }
    to_reload_.insert(to_reload_.end(), result->touched.begin(), result->touched.end());
  } else if (result.error().fault == dumpster::Fault::unavailable) {
    at_work.unsure = true;
  }
  const bool applied = result && result->applied;
  done(std::move(result));
  if (!at_work.activations.empty()) {
    pass_barrier(cluster);
    return;
  }
  reload_next();
  if (applied) {
    std::vector<Message> all;
    all.reserve(messages_.size());
    for (const auto& [key, message] : messages_)
      all.push_back(message);
    for (const auto& message : all)
      schedule(message, cluster);
  }
  pump(connections);
}

void Dispatcher::drain(std::chrono::milliseconds patience, std::function<void()> done) {
  on_own_thread([this, patience, done = std::move(done)]() mutable {
    drained_ = std::move(done);
    auto limit = std::make_shared<boost::asio::steady_timer>(context_, patience);
    limit->async_wait([this, limit](boost::system::error_code) {
      for (auto& [destination, connections] : connections_) {
        for (const auto& worker : connections.working)
          worker->cut();
      }
    });
    for (auto& [destination, connections] : connections_) {
      for (const auto& worker : connections.connecting)
        worker->cut();
      for (const auto& [worker, since] : connections.idle)
        worker->leave();
      connections.idle.clear();
    }
    drained_when_idle();
  });
}

void Dispatcher::drained_when_idle() {
  if (!drained_ || recordings_ > 0) return;
  if (!unrecorded_.empty() && store_.writable()) {
    record_again();
    return;
  }
  for (const auto& [destination, connections] : connections_) {
    if (connections.in_flight > 0) return;
  }
  // Called once; `drained_` stays set so that nothing begins any more.
  auto done = std::exchange(drained_, [] {});
  done();
}

}  // namespace relay
