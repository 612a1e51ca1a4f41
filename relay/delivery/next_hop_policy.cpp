#include "relay/delivery/next_hop_policy.hpp"

#include <algorithm>

namespace relay {

NextHop::Tls tls_of(const NextHop& hop, const NextHopPolicy& policy) {
  const bool may_be_open = hop.tls == NextHop::Tls::opportunistic || hop.tls == NextHop::Tls::none;
  const bool demanding = policy.verified || policy.credentials;
  return may_be_open && demanding ? NextHop::Tls::starttls : hop.tls;
}

bool has_proved_itself(const TlsSession& session, const NextHopPolicy& policy) {
  if (policy.fingerprints.empty()) return session.verified;
  return std::any_of(policy.fingerprints.begin(), policy.fingerprints.end(), [&](const auto& known) {
    return known == session.peer_fingerprint || known == session.peer_key_fingerprint;
  });
}

const NextHopPolicy& NextHopPolicies::of(const NextHop& hop) const {
  const auto rule = std::find_if(rules_.begin(), rules_.end(), [&](const Rule& candidate) {
    return candidate.host == hop.host && (!candidate.port || *candidate.port == hop.port);
  });
  return rule == rules_.end() ? others_ : rule->policy;
}

}  // namespace relay
