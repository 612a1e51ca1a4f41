#pragma once

#include <catch2/catch.hpp>

#include "fakes.hpp"
#include "recovery/agent/watch.hpp"

namespace recovery::agent::test {

/// A node that watches, beside the operations that others call.
class Watching : public Scene {
 public:
  explicit Watching(std::size_t number = 1) : Scene(number) {
    mark_store();
    surroundings.wait = dumpster::Duration::zero();
  }

  /// Rounds with pauses in between.
  void rounds(int number) {
    for (int i = 0; i < number; ++i) {
      watch.round();
      clock.pause(std::chrono::seconds{2});
    }
  }
  Watermark mark(std::size_t number = 0) const {
    const Watermark* known = ledger->saved.watermark({hubs[number]->address(), "sg1"});
    return known == nullptr ? Watermark{} : *known;
  }
  /// A delivery right now.
  void deliver(std::uint8_t number, const std::string& mailbox, const std::string& node = "node1",
               std::uint64_t term = 0, std::size_t hub = 0) {
    ListedDelivery made = line(number, mailbox, node, term);
    // Unique within a hub.
    made.delivered_at = clock.now() - std::chrono::milliseconds{1} + std::chrono::microseconds{number};
    hubs[hub]->lines.push_back(made);
  }
  void become_active() {
    REQUIRE(promote().exit_status() == 0);
    clock.pause(std::chrono::seconds{10});
  }

  metrics::AgentMetrics counted{"ccr1"};
  Watch watch{surroundings, {std::chrono::seconds{2}, false}, counted};
};

}  // namespace recovery::agent::test
