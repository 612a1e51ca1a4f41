#include "relay/hub/configuration.hpp"

#include <algorithm>
#include <set>

namespace relay {
namespace {

using namespace std::chrono_literals;
using recovery::Microseconds;
using recovery::required;
using recovery::TomlTable;

constexpr std::uint64_t mebibyte = 1ULL << 20;
constexpr Microseconds longest = std::chrono::hours{24 * 365};

bool is_name(const std::string& name) {
  return !name.empty() && name.size() <= 64 && std::all_of(name.begin(), name.end(), [](unsigned char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.';
  });
}

/// What the contract has and this version does not is refused, never passed over in silence.
void not_available(TomlTable& table, std::string_view key, bool asked_for) {
  if (asked_for)
    table.fault(key, "`" + std::string{key} + "`: not available in this version with this value");
}

std::string checked_name(TomlTable& table, std::set<std::string>& taken) {
  auto name = table.name("name");
  if (!name.empty() && !is_name(name)) {
    table.fault("name", "`name` \"" + name + "\" may only have letters, digits, `-`, `_` and `.`");
  } else if (!name.empty() && !taken.insert(name).second) {
    table.fault("name", "`name` \"" + name + "\" is taken already");
  }
  return name;
}

std::optional<ListenAddress> address_of(TomlTable& table, const std::optional<std::string>& text) {
  if (!text || text->empty()) return std::nullopt;
  const auto address = listen_address_from(*text);
  if (!address)
    table.fault("address", "`address` \"" + *text + "\" is not of the form 192.0.2.1:25 or [::1]:25");
  return address;
}

void read_hub(TomlTable hub, HubConfiguration& made) {
  made.name = hub.name("name");
  if (!made.name.empty() && !is_name(made.name)) hub.fault("name", "`name` is not a host name");
  made.data_dir = hub.name("data_dir");
  made.admin_socket = hub.name("admin_socket");
  made.threads = static_cast<unsigned>(hub.integer("threads", 0, {0, 256}));
  hub.close();
}

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

std::optional<NextHop> read_next_hop(TomlTable& table, std::string_view key, const std::string& text) {
  const auto hop = next_hop_from(text);
  if (!hop) {
    table.fault(key, "`" + std::string{key} + "` \"" + text +
                         "\" is not of the form lmtp://HOST:PORT or smtp://HOST:PORT");
    return std::nullopt;
  }
  not_available(table, key, hop->tls != NextHop::Tls::none);
  return hop;
}

void read_relay(TomlTable relay, HubConfiguration& made) {
  const auto networks = relay.strings("trusted_networks", std::vector<std::string>{"127.0.0.0/8", "::1/128"});
  for (const auto& text : networks) {
    if (const auto network = network_from(text)) {
      made.trusted_networks.push_back(*network);
    } else {
      relay.fault("trusted_networks",
                  "`trusted_networks` has \"" + text + "\", which is not a network like 192.0.2.0/24");
    }
  }
  made.max_message_size = relay.size("max_message_size", 36 * mebibyte, {1024, 1024 * mebibyte});
  made.max_recipients = static_cast<std::uint32_t>(relay.integer("max_recipients", 1000, {1, 100'000}));
  if (const auto smarthost = relay.optional_string("smarthost")) {
    made.smarthost = read_next_hop(relay, "smarthost", *smarthost);
  }
  made.back_off.retry_min = relay.duration("retry_min", Microseconds{5s}, {10ms, longest});
  made.back_off.retry_max = relay.duration("retry_max", Microseconds{15min}, {10ms, longest});
  if (made.back_off.retry_max < made.back_off.retry_min) {
    relay.fault("retry_max", "`retry_max` must not be shorter than `retry_min`");
  }
  made.queue_lifetime = relay.duration("queue_lifetime", Microseconds{120h}, {1s, longest});
  relay.close();
}

void read_directory(TomlTable directory, HubConfiguration& made) {
  not_available(directory, "type", directory.word("type", {"file", "ldap"}, "file") != "file");
  made.recipients = directory.name("path");
  directory.close();
}

dumpster::StorageGroupDefinition read_storage_group(TomlTable group,
                                                    const dumpster::RetentionLimits& defaults,
                                                    std::set<std::string>& taken) {
  dumpster::StorageGroupDefinition read;
  read.name = checked_name(group, taken);
  read.limits = defaults;
  if (const auto size = group.optional_size("max_size")) read.limits.max_size = *size;
  if (const auto time = group.optional_duration("max_time")) read.limits.max_time = *time;
  group.close();
  return read;
}

void read_cluster(TomlTable cluster, const dumpster::RetentionLimits& defaults, std::set<std::string>& taken,
                  HubConfiguration& made) {
  dumpster::ClusterDefinition read;
  ClusterRoutes routes;
  read.name = checked_name(cluster, taken);
  routes.name = read.name;
  std::set<std::string> nodes;
  for (auto node : cluster.tables("node", 1)) {
    const auto name = checked_name(node, nodes);
    const auto hop = read_next_hop(node, "deliver_to", node.name("deliver_to"));
    node.close();
    read.nodes.push_back(name);
    if (hop) routes.nodes.emplace(name, *hop);
  }
  read.first_active = cluster.name("active");
  if (!read.first_active.empty() && !nodes.contains(read.first_active)) {
    cluster.fault("active", "`active` \"" + read.first_active + "\" is not a node of this cluster");
  }
  std::set<std::string> groups;
  for (auto group : cluster.tables("storage_group", 1)) {
    read.storage_groups.push_back(read_storage_group(group, defaults, groups));
  }
  cluster.close();
  made.clusters.push_back(std::move(read));
  made.routes.push_back(std::move(routes));
}

dumpster::RetentionLimits read_dumpster(TomlTable dumpster) {
  dumpster::RetentionLimits limits;
  limits.max_size = dumpster.size("max_size", 1024 * mebibyte);
  limits.max_time = dumpster.duration("max_time", Microseconds{std::chrono::hours{24 * 7}}, {0s, longest});
  not_available(dumpster, "truncate_replicated", dumpster.boolean("truncate_replicated", false));
  dumpster.close();
  return limits;
}

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

void read_recovery(TomlTable recovery, bool given, HubConfiguration& made) {
  made.recovery_address = address_of(recovery, recovery.string("address", "127.0.0.1:8025"));
  read_recovery_tls(recovery, made);
  made.in_doubt_wait = recovery.duration("in_doubt_wait", Microseconds{60s}, {0s, longest});
  made.resubmit_lifetime = recovery.duration("resubmit_lifetime", Microseconds{24h}, {1s, longest});
  if (given) {
    made.tokens = recovery.name("tokens");
  } else {
    made.recovery_address.reset();  // without tokens nobody could use it
  }
  recovery.close();
}

void add_warnings(HubConfiguration& made) {
  for (const auto& cluster : made.clusters) {
    if (cluster.nodes.size() < 2) {
      made.warnings.push_back("cluster " + cluster.name + " has one node: there is nothing to fail over to");
    }
    for (const auto& group : cluster.storage_groups) {
      const auto name = cluster.name + "/" + group.name;
      if (group.limits.off()) {
        made.warnings.push_back("retention is off for " + name +
                                ": nothing can be resubmitted after a failover");
      } else if (group.limits.max_size < made.max_message_size + made.max_message_size / 2) {
        made.warnings.push_back("max_size of " + name + " is below 1.5 times max_message_size");
      }
    }
  }
}

}  // namespace

ConfigurationReading read_configuration(const std::string& path) {
  ConfigurationReading reading;
  auto& made = reading.configuration;
  const auto document = recovery::TomlDocument::read(path);
  auto root = document.root();
  read_hub(root.table("hub", required), made);
  for (auto listener : root.tables("listener", 1))
    read_listener(listener, made);
  read_relay(root.table("relay"), made);
  read_directory(root.table("directory", required), made);
  const auto defaults = read_dumpster(root.table("dumpster"));
  std::set<std::string> clusters;
  for (auto cluster : root.tables("cluster"))
    read_cluster(cluster, defaults, clusters, made);
  read_recovery(root.table("recovery"), root.has("recovery"), made);
  auto metrics = root.table("metrics");
  made.metrics_address = address_of(metrics, metrics.optional_string("address"));
  metrics.close();
  root.close();
  add_warnings(made);
  reading.faults = document.faults();
  return reading;
}

}  // namespace relay
