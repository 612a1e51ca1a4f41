#pragma once

#include <memory>

#include "metrics/hub_metrics.hpp"
#include "relay/directory/directory.hpp"
#include "relay/directory/ldap/settings.hpp"

namespace relay::ldap {

/// The directory on an LDAP server, with the matching rules and aliases of the file's. README.md says which
/// entry means what.
///
/// Concurrency: threads of its own ask the server, one connection each; `find` only looks at what they have
/// found out lately. Bounds: as many connections as configured, 10,000 look-ups waiting, each for `timeout`
/// in all. What the server does not answer (away, busy, over a limit of time or size, several entries for one
/// address, an entry that cannot be used) is `unavailable`, never `unknown`, and logged. A server that was
/// away is left alone for a second; whoever asks meanwhile hears `unavailable` at once.
class LdapDirectory : public Directory {
 public:
  /// Forgets what it knows of entries: the server is asked anew.
  virtual void forget() const = 0;
};

std::shared_ptr<const LdapDirectory> make_ldap_directory(Settings settings, metrics::HubMetrics& metrics);

}  // namespace relay::ldap
