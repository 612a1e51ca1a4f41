#include "relay/hub/configuration/sections.hpp"

namespace relay {

using namespace std::chrono_literals;
using recovery::Microseconds;
using recovery::TomlTable;

namespace {

void read_recovery_tls(TomlTable& recovery, HubConfiguration& made) {
  recovery::http::TlsSettings tls;
  tls.certificate = recovery.string("certificate", "");
  tls.key = recovery.string("key", "");
  tls.client_ca = recovery.string("client_ca", "");
  if (tls.certificate.empty() != tls.key.empty()) {
    recovery.fault("certificate", "`certificate` and `key` belong together");
  } else if (!tls.client_ca.empty() && tls.certificate.empty()) {
    recovery.fault("client_ca", "`client_ca` needs `certificate` and `key`");
  } else if (!tls.certificate.empty()) {
    made.recovery_tls = std::move(tls);
  } else if (made.recovery_address && !made.recovery_address->address.is_loopback()) {
    recovery.fault("address", "`address` is not loopback and so needs TLS: set `certificate` and `key`");
  }
}

}  // namespace

void read_recovery(TomlTable recovery, bool given, HubConfiguration& made) {
  made.recovery_address = address_of(recovery, recovery.string("address", "127.0.0.1:8025"));
  read_recovery_tls(recovery, made);
  made.in_doubt_wait = recovery.duration("in_doubt_wait", Microseconds{60s}, {0s, longest});
  made.resubmit_lifetime = recovery.duration("resubmit_lifetime", Microseconds{24h}, {1s, longest});
  made.resubmit_rate = static_cast<std::uint64_t>(recovery.integer("resubmit_rate", 500, {0, 1'000'000}));
  if (given) {
    made.tokens = recovery.name("tokens");
  } else {
    made.recovery_address.reset();  // without tokens nobody could use it
  }
  recovery.close();
}

}  // namespace relay
