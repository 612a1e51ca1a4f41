#include "relay/hub/relay_for_recovery.hpp"

namespace relay {

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
