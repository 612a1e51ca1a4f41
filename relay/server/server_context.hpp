#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "dumpster/store.hpp"
#include "metrics/hub_metrics.hpp"
#include "relay/directory/directory.hpp"
#include "relay/net/network.hpp"
#include "relay/queue/fresh_bodies.hpp"
#include "relay/server/session_registry.hpp"

namespace relay {

struct ServerSettings {
  std::string hub_name;
  std::vector<Network> trusted_networks;
  std::uint64_t max_message_size = 36ULL << 20;
  std::uint32_t max_recipients = 1000;
  bool has_smarthost = false;
  std::uint32_t max_connections = 10'000;
};

/// What all sessions share; outlives them all. Its members are thread-safe or never change.
struct ServerContext {
  dumpster::Store& store;
  std::function<std::shared_ptr<const Directory>()> directory;
  metrics::HubMetrics& metrics;
  const dumpster::Clock& clock;
  ServerSettings settings;
  FreshBodies fresh_bodies{64ULL << 20};
  SessionRegistry sessions{};
  /// A message is on stable storage: deliver it.
  std::function<void(dumpster::Message, std::shared_ptr<const std::string>)> accepted{};
};

}  // namespace relay
