#include "relay/hub/server_settings.hpp"

namespace relay {

ServerSettings server_settings(const HubConfiguration& configuration, const Surroundings& surroundings) {
  ServerSettings settings;
  settings.hub_name = configuration.name;
  for (std::size_t place = 0; place < configuration.listeners.size(); ++place) {
    const auto& listener = configuration.listeners[place];
    settings.listeners.push_back({listener.address, listener.protocol, listener.tls,
                                  surroundings.listener_tls.at(place), listener.require_auth,
                                  listener.proxy_protocol});
  }
  settings.trusted_networks = configuration.trusted_networks;
  settings.max_message_size = configuration.max_message_size;
  settings.max_recipients = configuration.max_recipients;
  settings.smarthost = configuration.smarthost;
  settings.max_connections = configuration.max_connections;
  settings.client = configuration.client;
  settings.max_received = configuration.max_received;
  settings.max_passes = configuration.max_passes;
  settings.commit_limit = std::chrono::duration_cast<std::chrono::milliseconds>(configuration.commit_limit);
  settings.load = configuration.load;
  settings.passwords = surroundings.passwords;
  return settings;
}

ServerSettings reloaded_server_settings(const ServerSettings& running, const HubConfiguration& read,
                                        const Surroundings& surroundings) {
  auto settings = server_settings(read, surroundings);
  settings.hub_name = running.hub_name;
  settings.smarthost = running.smarthost;
  if (!same_ports(running.listeners, settings.listeners)) settings.listeners = running.listeners;
  return settings;
}

}  // namespace relay
