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
#include "relay/directory/ldap/settings.hpp"
#include "relay/net/network.hpp"
#include "relay/server/server_settings.hpp"

namespace relay {

struct ListenerConfiguration {
  ListenAddress address;
  smtp::Protocol protocol = smtp::Protocol::smtp;
  ListenerSettings::Tls tls = ListenerSettings::Tls::none;
  ServerTlsSettings tls_files;  ///< with `tls`
  bool require_auth = false;
  bool proxy_protocol = false;

  bool operator==(const ListenerConfiguration&) const = default;
};

/// How connections to one host, or one port of it, are secured: whoever names it as a next hop.
struct NextHopConfiguration {
  std::string host;  ///< as in `NextHop`
  std::optional<std::uint16_t> port;
  bool verified = false;                  ///< by fingerprints where there are any, by its authority otherwise
  std::filesystem::path ca;               ///< empty: the system's authorities
  std::vector<std::string> fingerprints;  ///< SHA-256, hexadecimal in lower case
  std::string certificate_name;
  std::filesystem::path certificate;  ///< with `key`: ours
  std::filesystem::path key;
  std::filesystem::path auth;
  bool chunking = true;

  bool fits(const NextHop& hop) const;
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
  std::uint32_t max_connections = 0;
  ClientLimitSettings client;
  std::uint32_t max_received = 0;
  std::uint32_t max_passes = 0;
  dumpster::Duration commit_limit{};
  LoadGateSettings load;
  std::filesystem::path passwords;  ///< empty: nobody can authenticate
  std::optional<NextHop> smarthost;
  BackOff back_off;
  dumpster::Duration queue_lifetime{};
  dumpster::Duration delay_warning{};  ///< zero: none
  std::string postmaster;              ///< never empty
  std::uint32_t connections_per_destination = 0;
  std::uint32_t max_outgoing_connections = 0;

  std::filesystem::path recipients;     ///< directory of type file
  std::optional<ldap::Settings> ldap;   ///< of type ldap; without its password
  std::filesystem::path ldap_password;  ///< file with it; empty: none

  std::vector<NextHopConfiguration> next_hops;  ///< the first one that fits counts

  std::vector<dumpster::ClusterDefinition> clusters;  ///< limits of each group resolved
  std::vector<ClusterRoutes> routes;

  std::optional<ListenAddress> recovery_address;
  std::optional<recovery::http::TlsSettings> recovery_tls;  ///< HTTPS
  std::filesystem::path tokens;
  dumpster::Duration in_doubt_wait{};
  dumpster::Duration resubmit_lifetime{};
  std::uint64_t resubmit_rate = 0;  ///< messages a second for each cluster; 0: no limit

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
