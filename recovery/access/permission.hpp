#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace recovery {

/// `read`: sees everything but the text of mail. `agent`: what `dumpster-agent` does for its cluster.
/// `admin`: everything.
enum class Role : std::uint8_t { read, agent, admin };

/// Where a role holds.
struct Scope {
  std::string cluster;  ///< empty: every cluster
  std::string node;     ///< empty: every node of it

  bool covers(std::string_view wanted_cluster) const { return cluster.empty() || cluster == wanted_cluster; }
  bool operator==(const Scope&) const = default;
};

struct Identity {
  Role role = Role::read;
  Scope scope;

  bool operator==(const Identity&) const = default;
};

/// What a call of the API does.
enum class Action : std::uint8_t {
  look,          ///< states, listings of deliveries and resubmissions
  read_message,  ///< the text of retained mail
  activate,
  jump_term,  ///< activate with a term more than 1,000 above the current one
  resubmit,
  report,  ///< absent and recovered: evidence of the node's agent
  cancel,
  administer,  ///< hold, release
};

bool may(Role role, Action action);

/// Why `identity` may not do this on `cluster`, a sentence for the client; nothing when it may.
std::optional<std::string> denied(const Identity& identity, Action action, std::string_view cluster);

}  // namespace recovery
