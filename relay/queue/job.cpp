#include "relay/queue/job.hpp"

namespace relay {

const dumpster::SpoolEntry* QueuedMessage::entry(std::uint32_t index) const {
  for (const auto& candidate : spooled.entries) {
    if (candidate.index == index) return &candidate;
  }
  return nullptr;
}

std::string Route::name() const {
  if (group) return group->cluster + "/" + group->group;
  if (smarthost) return "smarthost";
  return to_string(std::get<NextHop>(destination));
}

}  // namespace relay
