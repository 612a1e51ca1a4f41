#include "relay/hub/configuration/sections.hpp"

namespace relay {

using namespace std::chrono_literals;
using recovery::Microseconds;
using recovery::TomlTable;

void read_listener(TomlTable listener, HubConfiguration& made) {
  ListenerConfiguration read;
  const auto address = address_of(listener, listener.name("address"));
  if (address) read.address = *address;
  read.protocol = listener.word("protocol", {"smtp", "lmtp"}, "smtp") == "lmtp" ? smtp::Protocol::lmtp
                                                                                : smtp::Protocol::smtp;
  not_available(listener, "tls", listener.word("tls", {"none", "starttls", "implicit"}, "none") != "none");
  not_available(listener, "certificate", !listener.string("certificate", "").empty());
  not_available(listener, "key", !listener.string("key", "").empty());
  not_available(listener, "require_auth", listener.boolean("require_auth", false));
  not_available(listener, "proxy_protocol", listener.boolean("proxy_protocol", false));
  listener.close();
  made.listeners.push_back(read);
}

}  // namespace relay
