#pragma once

#include <memory>
#include <string>
#include <vector>

#include "relay/delivery/next_hop_policy.hpp"
#include "relay/hub/configuration.hpp"

namespace relay {

/// Reads the certificates, keys and credentials that `[[next_hop]]` names. Each fault is one line `FILE:
/// sentence`; with any the result is null.
std::shared_ptr<const NextHopPolicies> read_next_hop_policies(const HubConfiguration& configuration,
                                                              std::vector<std::string>& faults);

/// A file of one line, `USER:PASSWORD`, that others cannot read. What is wrong with it goes to `faults`.
std::optional<smtp::Credentials> read_credentials(const std::filesystem::path& path,
                                                  std::vector<std::string>& faults);

}  // namespace relay
