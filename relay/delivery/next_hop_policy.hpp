#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "relay/directory/next_hop.hpp"
#include "relay/net/tls_context.hpp"
#include "relay/smtp/client_machine.hpp"

namespace relay {

/// How long a next hop is waited for: RFC 5321 4.5.3.2, for each reply as a whole however slowly it drips in,
/// and bounds of ours for what has none there.
struct NextHopPatience {
  using Time = std::chrono::milliseconds;
  Time look_up = std::chrono::seconds{20};
  Time connect = std::chrono::seconds{30};    ///< for each address
  Time handshake = std::chrono::seconds{60};  ///< of TLS
  Time open = std::chrono::minutes{15};       ///< all addresses, until the connection is ready
  Time greeting = std::chrono::minutes{5};
  Time command = std::chrono::minutes{5};
  Time data = std::chrono::minutes{2};
  Time block = std::chrono::minutes{3};
  Time data_end = std::chrono::minutes{10};
  Time quit = std::chrono::seconds{5};  ///< all is said; nobody needs to wait for a farewell
  /// All replies to the commands of a transaction, or behind its data: so much, and more for each recipient.
  Time replies = std::chrono::minutes{10};
  Time each_recipient = std::chrono::seconds{3};
};

/// How connections to a next hop are made and secured, besides what its URL says.
struct NextHopPolicy {
  TlsContext tls;
  std::string certificate_name;  ///< the name that its certificate must have; empty: the host of the URL
  /// SHA-256 in lower-case hexadecimal of its certificate, or of the public key in it: one of these must be.
  std::vector<std::string> fingerprints;
  /// It must prove who it is: by a fingerprint where there are any, by its certificate authority otherwise.
  bool verified = false;
  std::optional<smtp::Credentials> credentials;
  bool chunking = true;
  NextHopPatience patience;
};

/// The TLS that is used: what must be proved or said in secret never goes without, whatever the URL says.
NextHop::Tls tls_of(const NextHop& hop, const NextHopPolicy& policy);

/// Whether a next hop with this certificate has proved who it is.
bool has_proved_itself(const TlsSession& session, const NextHopPolicy& policy);

/// The policies of all next hops. Immutable and thread-safe: a reload makes new ones.
class NextHopPolicies {
 public:
  struct Rule {
    std::string host;  ///< as in the URL, in lower case
    std::optional<std::uint16_t> port;
    NextHopPolicy policy;
  };

  /// `others`: for next hops that no rule is about.
  NextHopPolicies(NextHopPolicy others, std::vector<Rule> rules)
      : others_(std::move(others)), rules_(std::move(rules)) {}

  /// The policy of the first rule for that host and port.
  const NextHopPolicy& of(const NextHop& hop) const;

 private:
  NextHopPolicy others_;
  std::vector<Rule> rules_;
};

}  // namespace relay
