#pragma once

#include <set>
#include <string>
#include <utility>

#include "recovery/agent/agent_clock.hpp"
#include "recovery/agent/inventory.hpp"

namespace recovery::agent {

/// Mailbox and delivery.
using InventoryKey = std::pair<std::string, dumpster::Uuid>;

/// Looks until two looks at least 1.5 s apart agree about `questions`: the survivor of a pair goes on working
/// in what it had received, for a second or more. An error when a look fails, and when 100 looks did not
/// agree.
dumpster::Result<Inventory> take_stable(InventorySource& source, AgentClock& clock,
                                        const std::set<std::string>& mailboxes,
                                        const std::set<InventoryKey>& questions,
                                        dumpster::Instant window_start);

}  // namespace recovery::agent
