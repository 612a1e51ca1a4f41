#include <algorithm>

#include "relay/hub/configuration/sections.hpp"

namespace relay {

using recovery::TomlTable;

namespace {

/// 64 digits in lower case; nothing for anything else. Colons, which OpenSSL prints, are taken out.
std::optional<std::string> fingerprint_from(const std::string& text) {
  constexpr std::size_t digits = 64;
  std::string read;
  for (const char c : text) {
    if (c == ':') continue;
    if (c >= 'A' && c <= 'F') {
      read += static_cast<char>(c - 'A' + 'a');
    } else if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')) {
      read += c;
    } else {
      return std::nullopt;
    }
  }
  if (read.size() != digits) return std::nullopt;
  return read;
}

/// In the form that a next hop's URL has when it was read.
std::string host_from(TomlTable& table) {
  const auto text = table.name("host");
  if (text.empty()) return {};
  const bool ipv6 = text.find(':') != std::string::npos && text.front() != '[';
  const auto hop = next_hop_from("smtp://" + (ipv6 ? '[' + text + ']' : text));
  if (hop && hop->port == NextHop{}.port && hop->tls == NextHop{}.tls) return hop->host;
  table.fault("host", "`host` \"" + text + "\" is not a host name or an address");
  return {};
}

void read_verification(TomlTable& table, NextHopConfiguration& made) {
  const auto ca = table.string("ca", "");
  made.verified = !ca.empty();
  if (ca != "system") made.ca = ca;
  for (const auto& text : table.strings("fingerprints", std::vector<std::string>{})) {
    if (auto read = fingerprint_from(text)) {
      made.fingerprints.push_back(std::move(*read));
    } else {
      table.fault("fingerprints",
                  "`fingerprints` has \"" + text + "\", which is not a SHA-256 in hexadecimal");
    }
  }
  made.certificate_name = table.string("certificate_name", "");
  if (made.fingerprints.empty()) return;
  if (made.verified) table.fault("ca", "`ca` and `fingerprints` exclude each other");
  if (!made.certificate_name.empty())
    table.fault("certificate_name", "`certificate_name` has no meaning beside `fingerprints`");
  made.verified = true;
}

/// What its URL says, against what the configuration demands of it.
void check(const NextHop& hop, const std::string& where, const std::vector<TomlTable>& tables,
           HubConfiguration& made) {
  std::size_t place = 0;
  while (place < made.next_hops.size() && !made.next_hops[place].fits(hop))
    ++place;
  const auto* rule = place < made.next_hops.size() ? &made.next_hops[place] : nullptr;
  const bool demanding = rule != nullptr && (rule->verified || !rule->auth.empty());
  if (demanding && hop.tls == NextHop::Tls::none) {
    tables[place].fault("host", "this host needs TLS, and " + where + " says `tls=none`");
  }
  const bool asked = hop.tls == NextHop::Tls::starttls || hop.tls == NextHop::Tls::implicit;
  if (asked && !demanding) {
    made.warnings.push_back("the certificate of " + where +
                            " is not verified: a [[next_hop]] with `ca` or `fingerprints` does that");
  }
}

}  // namespace

bool NextHopConfiguration::fits(const NextHop& hop) const {
  return host == hop.host && (!port || *port == hop.port);
}

void read_next_hop_policy(TomlTable table, HubConfiguration& made) {
  NextHopConfiguration read;
  read.host = host_from(table);
  if (table.has("port")) read.port = static_cast<std::uint16_t>(table.integer("port", 25, {1, 65535}));
  read_verification(table, read);
  read.certificate = table.string("certificate", "");
  read.key = table.string("key", "");
  if (read.certificate.empty() != read.key.empty())
    table.fault("certificate", "`certificate` and `key` belong together");
  read.auth = table.string("auth", "");
  if (!read.auth.empty()) read.verified = true;  // by the system's authorities where nothing else is said
  read.chunking = table.boolean("chunking", true);
  const bool repeated = std::any_of(made.next_hops.begin(), made.next_hops.end(), [&](const auto& other) {
    return !read.host.empty() && other.host == read.host && (!other.port || other.port == read.port);
  });
  if (repeated) table.fault("host", "`host` \"" + read.host + "\" has a [[next_hop]] above");
  table.close();
  made.next_hops.push_back(std::move(read));
}

void check_next_hops(const std::vector<TomlTable>& tables, HubConfiguration& made) {
  if (made.smarthost) check(*made.smarthost, "the smarthost", tables, made);
  for (const auto& cluster : made.routes) {
    for (const auto& [node, hop] : cluster.nodes)
      check(hop, "node " + cluster.name + "/" + node, tables, made);
  }
}

}  // namespace relay
