#include "relay/hub/configuration/sections.hpp"

namespace relay {

using namespace std::chrono_literals;
using recovery::Microseconds;
using recovery::TomlTable;

namespace {

ListenerSettings::Tls tls_of(const std::string& word) {
  if (word == "starttls") return ListenerSettings::Tls::starttls;
  return word == "implicit" ? ListenerSettings::Tls::implicit : ListenerSettings::Tls::none;
}

}  // namespace

void read_listener(TomlTable listener, HubConfiguration& made) {
  ListenerConfiguration read;
  const auto address = address_of(listener, listener.name("address"));
  if (address) read.address = *address;
  read.protocol = listener.word("protocol", {"smtp", "lmtp"}, "smtp") == "lmtp" ? smtp::Protocol::lmtp
                                                                                : smtp::Protocol::smtp;
  read.tls = tls_of(listener.word("tls", {"none", "starttls", "implicit"}, "none"));
  read.tls_files.certificate = listener.string("certificate", "");
  read.tls_files.key = listener.string("key", "");
  read.require_auth = listener.boolean("require_auth", false);
  read.proxy_protocol = listener.boolean("proxy_protocol", false);
  const bool has_tls = read.tls != ListenerSettings::Tls::none;
  const bool has_files = !read.tls_files.certificate.empty() && !read.tls_files.key.empty();
  if (has_tls && !has_files) listener.fault("tls", "`tls` needs `certificate` and `key`");
  if (!has_tls && (!read.tls_files.certificate.empty() || !read.tls_files.key.empty())) {
    made.warnings.push_back("a listener has `certificate` or `key`, and `tls = \"none\"`: it speaks no TLS");
  }
  if (read.require_auth && !has_tls) {
    listener.fault("require_auth", "`require_auth` needs `tls`: passwords never travel in the clear");
  }
  listener.close();
  made.listeners.push_back(std::move(read));
}

}  // namespace relay
