#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "dumpster/instant.hpp"

namespace relay::smtp {

/// How a message came in.
struct Reception {
  std::string client_name;     ///< what it said in HELO, EHLO or LHLO
  std::string client_address;  ///< IPv4 or IPv6 in text form; IPv4 within IPv6 and zones are understood
  std::string forwarded_for;   ///< whom the client says it speaks for, an address; may be empty
  std::string hub_name;
  std::string tls;                ///< "TLSv1.3 TLS_AES_256_GCM_SHA384, 256 bits"; empty without TLS
  std::string transmission_type;  ///< RFC 3848 and RFC 6531, as `ServerMachine::transmission_type`
  std::string id;                 ///< the message's UUID
  std::optional<std::string>
      recipient;  ///< only where there is exactly one: others must not learn of each other
  dumpster::Instant received_at{};
};

/// The `Received:` field (RFC 5321 4.4), folded, ending with CRLF. Whatever is in `reception`, exactly one
/// field comes out: what cannot stand in it is replaced by `?`, a recipient that cannot is left out.
std::string received_field(const Reception& reception);

/// `X-Dumpster-Id: HUB/DELIVERY_ID` and CRLF.
std::string dumpster_id_field(std::string_view hub_name, std::string_view delivery_id);

}  // namespace relay::smtp
