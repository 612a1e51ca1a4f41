#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "recovery/configuration/toml_reader.hpp"

namespace recovery {

/// How the agent finds out what its node has.
struct InventoryConfiguration {
  enum class Type : std::uint8_t { maildir, dovecot, cyrus, command };

  Type type = Type::maildir;
  /// maildir: the directory with the mailboxes; dovecot: the configuration file for `doveadm -c`, empty for
  /// Dovecot's own; cyrus: the configuration file for the tools' `-C`, empty for Cyrus's own; command: the
  /// program.
  std::string path;
  std::string
      marker;  ///< the file that marks the mail store; empty: at its usual place, for a command nowhere
};

/// The agent's file with its defaults. Everything in it has been checked but for what only the node can tell
/// (does the inventory's path exist, does a hub answer).
struct AgentConfiguration {
  std::string cluster;
  std::string node;
  std::string state_dir;
  std::vector<std::string>
      hubs;           ///< `http://host:port` or `https://…`, without a slash at the end; all different
  std::string token;  ///< the content of `token_file`
  std::chrono::microseconds lookback = std::chrono::hours{12};
  std::chrono::microseconds margin = std::chrono::minutes{5};
  std::chrono::microseconds settle = std::chrono::seconds{5};
  std::chrono::microseconds poll = std::chrono::seconds{2};
  bool report_replicated = false;  ///< `watch` tells the hubs what is on this passive node
  std::string quiesce;             ///< a command line of the administrator; empty: none
  std::string metrics;             ///< where `watch` serves its metrics; empty: nowhere
  std::string ca;                  ///< trusted certificates for https; empty: those of the system
  std::string certificate;         ///< the agent's own, for hubs that ask for one; with `key`
  std::string key;
  InventoryConfiguration inventory;
};

/// Reads `path` and the token file that it names. Nothing when there is a fault; `faults` then has all of
/// them. The token file must be a regular file that neither the group nor others can read or write.
std::optional<AgentConfiguration> read_agent_configuration(const std::string& path,
                                                           std::vector<ConfigurationFault>& faults);

}  // namespace recovery
