#include "relay/directory/ldap/cache.hpp"

namespace relay::ldap {

std::optional<Cache::Known> Cache::find(std::string_view key, Time now) {
  const std::lock_guard lock{mutex_};
  const auto found = by_key_.find(key);
  if (found == by_key_.end()) return std::nullopt;
  const auto place = found->second;
  if (place->until <= now) {
    by_key_.erase(found);
    order_.erase(place);
    return std::nullopt;
  }
  order_.splice(order_.begin(), order_, place);
  return place->known;
}

void Cache::put(std::string_view key, Known known, Time until) {
  const std::lock_guard lock{mutex_};
  if (most_ == 0) return;
  const auto found = by_key_.find(key);
  if (found != by_key_.end()) {
    const auto place = found->second;
    place->known = std::move(known);
    place->until = until;
    order_.splice(order_.begin(), order_, place);
    return;
  }
  if (by_key_.size() == most_) {
    by_key_.erase(order_.back().key);
    order_.pop_back();
  }
  order_.push_front({std::string{key}, std::move(known), until});
  by_key_.emplace(order_.front().key, order_.begin());
}

void Cache::clear() {
  const std::lock_guard lock{mutex_};
  by_key_.clear();
  order_.clear();
}

std::size_t Cache::size() const {
  const std::lock_guard lock{mutex_};
  return by_key_.size();
}

}  // namespace relay::ldap
