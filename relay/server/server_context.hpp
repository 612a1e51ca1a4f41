#pragma once

#include <functional>
#include <memory>
#include <string>

#include "dumpster/store.hpp"
#include "metrics/hub_metrics.hpp"
#include "relay/directory/directory.hpp"
#include "relay/queue/fresh_bodies.hpp"
#include "relay/queue/slowdowns.hpp"
#include "relay/server/authenticator.hpp"
#include "relay/server/client_limits.hpp"
#include "relay/server/load_gate.hpp"
#include "relay/server/server_settings.hpp"
#include "relay/server/session_registry.hpp"

namespace relay {

/// What all sessions share; outlives them all. Its members are thread-safe or never change.
struct ServerContext {
  dumpster::Store& store;
  std::function<std::shared_ptr<const Directory>()> directory;
  metrics::HubMetrics& metrics;
  const dumpster::Clock& clock;
  std::function<std::shared_ptr<const ServerSettings>()> settings;
  /// How long mail for some destinations is kept waiting.
  std::function<std::shared_ptr<const Slowdowns>()> slowdowns = [] {
    return std::make_shared<const Slowdowns>();
  };
  FreshBodies fresh_bodies{64ULL << 20};
  SessionRegistry sessions{};
  ClientLimits clients{};
  Authenticator authenticator{};
  LoadGate load_gate{};
  /// A message is on stable storage: deliver it.
  std::function<void(dumpster::Message, std::shared_ptr<const FreshBody>)> accepted{};
};

}  // namespace relay
