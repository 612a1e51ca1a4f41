#pragma once

#include "dumpster/instant.hpp"

namespace recovery::agent {

/// Time as the agent sees it; tests put their own in its place. Thread-safe.
class AgentClock : public dumpster::Clock {
 public:
  /// Steady: never steps, whatever happens to `now`.
  virtual dumpster::Duration elapsed() const = 0;

  /// Waits. False, at once, when the agent is asked to end.
  virtual bool pause(dumpster::Duration duration) = 0;
};

}  // namespace recovery::agent
