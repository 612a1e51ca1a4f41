#include <algorithm>

#include "metrics/log.hpp"
#include "relay/delivery/dispatcher.hpp"

namespace relay {

/// A hold counts from here on, before it is written: what the operator waits for is that nothing begins. When
/// it cannot be written it is as if it had never been.
void Dispatcher::hold(std::string cluster, dumpster::Duration duration, dumpster::Completion<Holding> done) {
  on_own_thread([this, cluster = std::move(cluster), duration, done = std::move(done)]() mutable {
    set_hold(cluster, clock_.now() + duration, std::move(done));
  });
}

void Dispatcher::release(std::string cluster, dumpster::Completion<Holding> done) {
  on_own_thread([this, cluster = std::move(cluster), done = std::move(done)]() mutable {
    set_hold(cluster, std::nullopt, std::move(done));
  });
}

void Dispatcher::set_hold(const std::string& cluster, std::optional<dumpster::Instant> until,
                          dumpster::Completion<Holding> done) {
  const auto found = clusters_.find(cluster);
  if (found == clusters_.end()) {
    done(dumpster::Error{dumpster::Fault::not_found, "no cluster " + cluster + " is configured"});
    return;
  }
  auto& state = found->second.state;
  const auto before = state.held_until;
  // A release takes effect when it is durable, a hold at once: either way nothing begins that must not.
  if (until) state.held_until = std::max(until, before);
  store_.hold(cluster, until,
              [this, cluster, until, before,
               done = std::move(done)](dumpster::Result<dumpster::ClusterState> written) {
                on_own_thread([this, cluster, until, before, done, written = std::move(written)] {
                  auto& now_held = clusters_.at(cluster).state.held_until;
                  if (!written) {
                    now_held = before;
                    done(written.error());
                    return;
                  }
                  now_held = until;
                  if (!until) clusters_.at(cluster).released_at = clock_.now();
                  auto& connections = connections_to(ClusterDestination{cluster});
                  metrics::log_info(until ? "cluster held" : "cluster released",
                                    {{"cluster", cluster},
                                     {"until", until ? dumpster::to_rfc3339(*until) : std::string{"-"}},
                                     {"in_flight", connections.in_flight},
                                     {"waiting", connections.queue.waiting()}});
                  done(Holding{until, connections.in_flight});
                  if (!until) connections.queue.probe_now();
                  pump(connections);
                });
              });
}

void Dispatcher::agent_heard(std::string cluster, std::string node) {
  on_own_thread([this, cluster = std::move(cluster), node = std::move(node)] {
    const auto found = clusters_.find(cluster);
    if (found == clusters_.end() || found->second.state.active != node) return;
    note_agent(found->second.state, node, clock_.now());
  });
}

void Dispatcher::note_agent(dumpster::ClusterState& state, const std::string& node, dumpster::Instant heard) {
  for (auto& [known, seen] : state.agent_seen) {
    if (known != node) continue;
    seen = std::max(seen, heard);
    return;
  }
  state.agent_seen.emplace_back(node, heard);
}

}  // namespace relay
