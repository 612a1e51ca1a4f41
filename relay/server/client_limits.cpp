#include "relay/server/client_limits.hpp"

#include <algorithm>

namespace relay {
namespace {

constexpr std::chrono::minutes failure_window{10};
constexpr std::chrono::minutes quiet{10};  // everything has come back by then
constexpr std::uint64_t ipv4_tag = 0xFFFFULL << 32U;

}  // namespace

void ClientLimits::Level::ebb(double per_second, Time now) {
  const auto passed = std::chrono::duration<double>(now - at).count();
  used = std::max(0.0, used - std::max(0.0, passed) * per_second);
  at = now;
}

std::uint64_t ClientLimits::key_of(const Address& client) {
  if (client.is_v4()) return ipv4_tag | client.to_v4().to_uint();
  const auto v6 = client.to_v6();
  if (v6.is_v4_mapped()) return ipv4_tag | make_address_v4(boost::asio::ip::v4_mapped, v6).to_uint();
  const auto bytes = v6.to_bytes();
  std::uint64_t prefix = 0;
  for (std::size_t i = 0; i < sizeof(prefix); ++i)
    prefix = prefix << 8U | bytes[i];
  return prefix;
}

ClientLimits::Client& ClientLimits::client_of(const Address& client, Time now) {
  const auto key = key_of(client);
  const auto found = clients_.find(key);
  if (found == clients_.end() && clients_.size() >= sweep_at_) forget_quiet(now);
  auto& entry = clients_[key];
  entry.seen = std::max(entry.seen, now);
  return entry;
}

void ClientLimits::forget_quiet(Time now) {
  std::erase_if(clients_, [now](const auto& entry) {
    return entry.second.connections == 0 && now - entry.second.seen > quiet;
  });
  if (clients_.size() >= max_clients_) {
    std::erase_if(clients_, [](const auto& entry) { return entry.second.connections == 0; });
  }
  sweep_at_ = std::max<std::size_t>(1024, std::min(clients_.size() * 2, max_clients_));
}

bool ClientLimits::open(const Address& client, std::uint32_t limit) {
  const std::lock_guard lock{mutex_};
  auto& entry = client_of(client, std::chrono::steady_clock::now());
  if (limit != 0 && entry.connections >= limit) return false;
  ++entry.connections;
  return true;
}

void ClientLimits::close(const Address& client) {
  const std::lock_guard lock{mutex_};
  const auto found = clients_.find(key_of(client));
  if (found != clients_.end() && found->second.connections > 0) --found->second.connections;
}

bool ClientLimits::take(const Address& client, Kind kind, std::uint32_t per_minute, Time now) {
  if (per_minute == 0) return true;
  const std::lock_guard lock{mutex_};
  auto& entry = client_of(client, now);
  auto& level = kind == Kind::message ? entry.messages : entry.recipients;
  level.ebb(per_minute / 60.0, now);
  if (level.used + 1 > per_minute) return false;
  level.used += 1;
  return true;
}

void ClientLimits::auth_failed(const Address& client, Time now) {
  const std::lock_guard lock{mutex_};
  auto& failures = client_of(client, now).failures;
  if (failures.used == 0) failures.at = now;
  failures.used += 1;
}

bool ClientLimits::auth_allowed(const Address& client, std::uint32_t limit, Time now) {
  if (limit == 0) return true;
  const std::lock_guard lock{mutex_};
  auto& failures = client_of(client, now).failures;
  failures.ebb(limit / std::chrono::duration<double>(failure_window).count(), now);
  return failures.used + 1 <= limit;
}

std::size_t ClientLimits::clients() const {
  const std::lock_guard lock{mutex_};
  return clients_.size();
}

}  // namespace relay
