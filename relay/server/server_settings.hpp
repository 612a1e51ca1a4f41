#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "relay/directory/next_hop.hpp"
#include "relay/net/network.hpp"
#include "relay/net/tls_context.hpp"
#include "relay/server/client_limits.hpp"
#include "relay/server/load_gate.hpp"
#include "relay/server/passwords.hpp"
#include "relay/smtp/server_machine.hpp"

namespace relay {

/// One port that mail comes in on.
struct ListenerSettings {
  enum class Tls : std::uint8_t { none, starttls, implicit };

  ListenAddress address;
  smtp::Protocol protocol = smtp::Protocol::smtp;
  Tls tls = Tls::none;
  TlsContext tls_context;  ///< with `tls`
  bool require_auth = false;
  bool proxy_protocol = false;
};

/// What a session goes by. A reload makes new ones; sessions keep those that they began with.
struct ServerSettings {
  std::string hub_name;
  std::vector<ListenerSettings> listeners;  ///< a session knows its listener by its place
  std::vector<Network> trusted_networks;
  std::uint64_t max_message_size = 36ULL << 20;
  std::uint32_t max_recipients = 1000;
  std::optional<NextHop> smarthost;
  std::uint32_t max_connections = 10'000;
  ClientLimitSettings client;       ///< for clients outside the trusted networks
  std::uint32_t max_received = 50;  ///< a message with more Received fields goes in circles (RFC 5321 6.3)
  std::uint32_t max_passes = 3;  ///< as does one that has been here so often: a filter sends mail back once
                                 ///< or twice
  /// For each command and each KiB of a message (RFC 5321 4.5.3.2.7).
  std::chrono::milliseconds command_limit{300'000};
  std::chrono::milliseconds commit_limit{
      30'000};  ///< a message not durable by then is refused and taken back
  LoadGateSettings load;
  std::shared_ptr<const Passwords> passwords;  ///< null: AUTH is not offered
};

}  // namespace relay
