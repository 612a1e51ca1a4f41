#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "dumpster/store.hpp"

namespace recovery {

/// What recovery asks of the relay that runs beside it. The program connects the two: recovery knows no
/// relay, the relay no recovery. Thread-safe; completions come on any thread.
class RunningRelay {
 public:
  virtual ~RunningRelay() = default;

  /// The barrier, then the store's activation, then deliveries to the new node (promise 8): every transaction
  /// with another node of the cluster is broken off and recorded before the activation is answered.
  virtual void activate(dumpster::Activation activation,
                        dumpster::Completion<dumpster::ActivationResult> done) = 0;

  /// The spool entries of these messages changed in the store: load them again and go on with them.
  virtual void reload(std::vector<dumpster::Uuid> messages) = 0;

  /// True while mail is accepted: listeners open, store writable, not stopping.
  virtual bool accepting() const = 0;

  /// One line of text or more for the operator's `status`: what is under way, by destination.
  struct Destination {
    std::string route;
    std::uint64_t queued = 0;
    std::uint64_t in_flight = 0;
    std::uint64_t held_in_doubt = 0;
    std::string last_error;
  };
  virtual void destinations(std::function<void(std::vector<Destination>)> done) const = 0;
};

}  // namespace recovery
