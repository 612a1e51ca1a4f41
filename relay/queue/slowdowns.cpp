#include "relay/queue/slowdowns.hpp"

#include <algorithm>

namespace relay {

void Slowdowns::add(const Destination& destination, std::size_t waiting) {
  if (waiting <= untroubled) return;
  const std::chrono::milliseconds pause{(waiting - untroubled) * 1000 / untroubled};
  pauses_[destination] = std::min(pause, longest);
}

std::chrono::milliseconds Slowdowns::pause_of(const Destination& destination) const {
  const auto found = pauses_.find(destination);
  return found == pauses_.end() ? std::chrono::milliseconds{0} : found->second;
}

}  // namespace relay
