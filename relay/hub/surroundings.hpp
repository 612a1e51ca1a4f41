#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "recovery/access/tokens.hpp"
#include "relay/delivery/next_hop_policy.hpp"
#include "relay/directory/directory.hpp"
#include "relay/hub/configuration.hpp"
#include "relay/hub/file_watch.hpp"

namespace relay {

/// The files that the configuration names and that a reload reads again.
struct Surroundings {
  std::shared_ptr<const Directory> directory;  ///< of type file
  std::optional<FileWatch> watch;              ///< of the recipients file, from before it was read
  std::optional<ldap::Settings> ldap;          ///< of type ldap, complete
  std::shared_ptr<const NextHopPolicies> next_hops;
  std::shared_ptr<const recovery::Tokens> tokens;  ///< nobody has one while there is no [recovery]
  std::shared_ptr<const Passwords> passwords;      ///< null without `passwords` in [relay]
  std::vector<TlsContext> listener_tls;            ///< one a listener; null without TLS
};

/// Reads them all; each fault is one line `FILE:LINE: sentence` (or `FILE: sentence`). With any fault the
/// result is not to be used. With faults in the configuration already the recipients are left out: the
/// storage groups that they name are not known for sure.
Surroundings read_surroundings(const HubConfiguration& configuration, std::vector<std::string>& faults);

/// The recipients file alone.
std::shared_ptr<const Directory> read_recipients(const HubConfiguration& configuration,
                                                 std::vector<std::string>& faults);

}  // namespace relay
