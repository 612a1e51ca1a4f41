#include "recovery/agent/stable_inventory.hpp"

#include <algorithm>

namespace recovery::agent {
namespace {

using dumpster::Error;
using dumpster::Fault;
using dumpster::Result;

bool agree(const Inventory& a, const Inventory& b, const std::set<InventoryKey>& questions) {
  if (a.unknown() != b.unknown()) return false;
  return std::all_of(questions.begin(), questions.end(), [&](const InventoryKey& key) {
    return a.copies(key.first, key.second) == b.copies(key.first, key.second);
  });
}

}  // namespace

Result<Inventory> take_stable(InventorySource& source, AgentClock& clock,
                              const std::set<std::string>& mailboxes, const std::set<InventoryKey>& questions,
                              dumpster::Instant window_start) {
  constexpr std::chrono::milliseconds apart{1'500};
  constexpr int most_looks = 100;
  Result<Inventory> last = source.take(mailboxes, window_start);
  for (int look = 1; last && look < most_looks; ++look) {
    if (!clock.pause(apart)) return Error{Fault::unavailable, "interrupted"};
    Result<Inventory> next = source.take(mailboxes, window_start);
    if (next && agree(*last, *next, questions)) return next;
    last = std::move(next);
  }
  if (!last) return last;
  return Error{Fault::unavailable,
               "the inventory does not come to rest: is the old active node still sending?"};
}

}  // namespace recovery::agent
