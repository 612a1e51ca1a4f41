#include "relay/hub/relay_for_recovery.hpp"

namespace relay {

namespace {

dumpster::Completion<Dispatcher::Holding> told(dumpster::Completion<recovery::RunningRelay::Holding> done) {
  return [done = std::move(done)](dumpster::Result<Dispatcher::Holding> holding) {
    if (!holding) return done(holding.error());
    done(recovery::RunningRelay::Holding{holding->until, holding->in_flight});
  };
}

}  // namespace

void RelayForRecovery::hold(std::string cluster, dumpster::Duration duration,
                            dumpster::Completion<Holding> done) {
  dispatcher_.hold(std::move(cluster), duration, told(std::move(done)));
}

void RelayForRecovery::release(std::string cluster, dumpster::Completion<Holding> done) {
  dispatcher_.release(std::move(cluster), told(std::move(done)));
}

void RelayForRecovery::load(std::string cluster, std::function<void(recovery::ClusterLoad)> done) const {
  dispatcher_.load(std::move(cluster), [this, done = std::move(done)](const Dispatcher::Load& load) {
    recovery::ClusterLoad weighed;
    weighed.fresh_waiting = load.fresh_waiting;
    weighed.resubmitted_waiting = load.resubmitted_waiting;
    weighed.loading = load.loading;
    weighed.in_flight = load.in_flight;
    weighed.unreachable = load.unreachable;
    weighed.held = load.held;
    weighed.accepting = accepting();
    done(weighed);
  });
}

void RelayForRecovery::destinations(std::function<void(std::vector<Destination>)> done) const {
  dispatcher_.status([done = std::move(done)](std::vector<Dispatcher::Status> all) {
    std::vector<Destination> destinations;
    for (auto& each : all) {
      destinations.push_back({std::move(each.route), each.queued, each.in_flight, each.held_in_doubt,
                              std::move(each.last_error)});
    }
    done(std::move(destinations));
  });
}

}  // namespace relay
