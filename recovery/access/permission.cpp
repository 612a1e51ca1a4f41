#include "recovery/access/permission.hpp"

namespace recovery {

bool may(Role role, Action action) {
  switch (role) {
    case Role::admin:
      return true;
    case Role::agent:
      return action == Action::look || action == Action::activate || action == Action::resubmit ||
             action == Action::report;
    case Role::read:
      break;
  }
  return action == Action::look;
}

std::optional<std::string> denied(const Identity& identity, Action action, std::string_view cluster) {
  if (!identity.scope.covers(cluster)) return "this token is for another cluster";
  if (!may(identity.role, action)) return "this token's role may not do this";
  return std::nullopt;
}

}  // namespace recovery
