#include "relay/server/session_registry.hpp"

#include <vector>

namespace relay {

std::optional<SessionRegistry::Id> SessionRegistry::add(std::function<void()> stop, std::size_t limit) {
  const std::lock_guard lock{mutex_};
  if (stopping_ || sessions_.size() >= limit) return std::nullopt;
  const auto id = next_++;
  sessions_.emplace(id, std::move(stop));
  return id;
}

void SessionRegistry::remove(Id id) {
  const std::lock_guard lock{mutex_};
  sessions_.erase(id);
  ended_.notify_all();
}

bool SessionRegistry::stop_all(std::chrono::milliseconds patience) {
  std::vector<std::function<void()>> stops;
  std::unique_lock lock{mutex_};
  stopping_ = true;
  for (const auto& [id, stop] : sessions_)
    stops.push_back(stop);
  lock.unlock();
  for (const auto& stop : stops)
    stop();
  lock.lock();
  return ended_.wait_for(lock, patience, [this] { return sessions_.empty(); });
}

std::size_t SessionRegistry::count() const {
  const std::lock_guard lock{mutex_};
  return sessions_.size();
}

}  // namespace relay
