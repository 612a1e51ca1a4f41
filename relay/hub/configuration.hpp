#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "dumpster/cluster.hpp"
#include "recovery/configuration/toml_reader.hpp"
#include "recovery/http/server.hpp"
#include "relay/delivery/dispatcher.hpp"
#include "relay/net/network.hpp"
#include "relay/smtp/server_machine.hpp"

namespace relay {

struct ListenerConfiguration {
  ListenAddress address;
  smtp::Protocol protocol = smtp::Protocol::smtp;

  bool operator==(const ListenerConfiguration&) const = default;
};

/// The hub's configuration file, checked. `deploy/dumpsterd.toml` explains every key.
struct HubConfiguration {
  std::string name;
  std::filesystem::path data_dir;
  std::filesystem::path admin_socket;
  unsigned threads = 0;

  std::vector<ListenerConfiguration> listeners;

  std::vector<Network> trusted_networks;
  std::uint64_t max_message_size = 0;
  std::uint32_t max_recipients = 0;
  std::optional<NextHop> smarthost;
  BackOff back_off;
  dumpster::Duration queue_lifetime{};
  std::uint32_t connections_per_destination = 0;
  std::uint32_t max_outgoing_connections = 0;

  std::filesystem::path recipients;

  std::vector<dumpster::ClusterDefinition> clusters;  ///< limits of each group resolved
  std::vector<ClusterRoutes> routes;

  std::optional<ListenAddress> recovery_address;
  std::optional<recovery::http::TlsSettings> recovery_tls;  ///< HTTPS
  std::filesystem::path tokens;
  dumpster::Duration in_doubt_wait{};
  dumpster::Duration resubmit_lifetime{};

  std::optional<ListenAddress> metrics_address;

  std::vector<std::string> warnings;  ///< allowed, but an administrator should know
};

/// Reads the file. Faults are all told at once, in the order of their lines; with any of them the
/// configuration is not to be used.
struct ConfigurationReading {
  HubConfiguration configuration;
  std::vector<recovery::ConfigurationFault> faults;
};
ConfigurationReading read_configuration(const std::string& path);

}  // namespace relay
