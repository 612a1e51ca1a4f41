#pragma once

#include <algorithm>

#include "relay/hub/configuration.hpp"
#include "relay/hub/surroundings.hpp"
#include "relay/server/server_settings.hpp"

namespace relay {

/// What sessions go by, from a configuration without faults and the files that it names.
ServerSettings server_settings(const HubConfiguration& configuration, const Surroundings& surroundings);

/// The same for a hub that is running: ports and smarthost stay as they are until a restart, and so do the
/// listeners' own settings when a port has changed.
ServerSettings reloaded_server_settings(const ServerSettings& running, const HubConfiguration& read,
                                        const Surroundings& surroundings);

/// Whether the same ports speak the same protocols, in the same order.
template <class One, class Other>
bool same_ports(const One& one, const Other& other) {
  return std::equal(one.begin(), one.end(), other.begin(), other.end(), [](const auto& a, const auto& b) {
    return a.address == b.address && a.protocol == b.protocol;
  });
}

}  // namespace relay
