#include <sstream>

#include "relay/directory/ldap/server_url.hpp"
#include "relay/hub/configuration/sections.hpp"

namespace relay {

using namespace std::chrono_literals;
using recovery::Microseconds;
using recovery::required;
using recovery::TomlTable;

namespace {

std::chrono::milliseconds milliseconds(Microseconds time) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(time);
}

/// The servers in `url`, separated by blanks. Their fault is told, too, when TLS is asked for twice.
void read_servers(TomlTable& directory, ldap::Settings& made, bool& in_the_clear) {
  std::istringstream urls{directory.name("url")};
  for (std::string text; urls >> text; made.urls.push_back(text)) {
    const auto url = ldap::server_url_from(text);
    if (!url) {
      directory.fault("url",
                      "`url` has \"" + text + "\", which is not ldap://HOST[:PORT] or ldaps://HOST[:PORT]");
    } else if (url->tls && made.start_tls) {
      directory.fault("start_tls", "`start_tls` is for ldap://, and \"" + text + "\" is TLS from the start");
    } else if (!url->tls && !url->loopback && !made.start_tls) {
      in_the_clear = true;
    }
  }
}

ldap::FilterTemplate read_filter(TomlTable& directory) {
  auto parsed = ldap::FilterTemplate::parse(directory.string("filter", "(mail=%s)"));
  if (const auto* fault = std::get_if<ldap::FilterFault>(&parsed)) {
    directory.fault("filter", "`filter` " + fault->text);
    return {};
  }
  return std::get<ldap::FilterTemplate>(std::move(parsed));
}

ldap::Attributes read_attributes(TomlTable& directory) {
  ldap::Attributes read;
  read.address = directory.string("address_attribute", "mail");
  read.storage_group = directory.string("storage_group_attribute", "");
  read.route = directory.string("route_attribute", "");
  read.mailbox = directory.string("mailbox_attribute", "");
  read.alias = directory.string("alias_attribute", "");
  return read;
}

void read_default_group(TomlTable& directory, ldap::Settings& made) {
  const auto text = directory.optional_string("default_storage_group");
  if (!text) return;
  for (const auto& group : made.storage_groups) {
    if (group.cluster + "/" + group.group == *text) made.default_storage_group = group;
  }
  if (!made.default_storage_group) {
    directory.fault("default_storage_group",
                    "`default_storage_group` \"" + *text + "\" is not a CLUSTER/GROUP of this configuration");
  }
}

ldap::Settings read_ldap(TomlTable& directory, HubConfiguration& made) {
  ldap::Settings read;
  bool in_the_clear = false;
  read.start_tls = directory.boolean("start_tls", false);
  read_servers(directory, read, in_the_clear);
  read.ca = directory.string("ca", "");
  read.bind_dn = directory.string("bind_dn", "");
  made.ldap_password = directory.string("bind_password_file", "");
  if (read.bind_dn.empty() != made.ldap_password.empty())
    directory.fault("bind_dn", "`bind_dn` and `bind_password_file` belong together");
  read.base = directory.string("base", required);
  const auto scope = directory.word("scope", {"base", "one", "subtree"}, "subtree");
  read.scope = scope == "base" ? ldap::Scope::base : scope == "one" ? ldap::Scope::one : ldap::Scope::subtree;
  read.filter = read_filter(directory);
  read.attributes = read_attributes(directory);
  read.hub_name = made.name;
  for (const auto& cluster : made.clusters) {
    for (const auto& group : cluster.storage_groups)
      read.storage_groups.push_back({cluster.name, group.name});
  }
  read_default_group(directory, read);
  const auto& attributes = read.attributes;
  if (attributes.storage_group.empty() && attributes.route.empty() &&
      !directory.has("default_storage_group")) {
    directory.fault("storage_group_attribute",
                    "one of `storage_group_attribute`, `route_attribute` and "
                    "`default_storage_group` has to say where mail goes");
  }
  read.connections = static_cast<unsigned>(directory.integer("connections", 4, {1, 64}));
  read.timeout = milliseconds(directory.duration("timeout", Microseconds{5s}, {100ms, Microseconds{60s}}));
  read.cache_size = static_cast<std::size_t>(directory.integer("cache_size", 100'000, {0, 10'000'000}));
  read.cache_time = milliseconds(directory.duration("cache_time", Microseconds{60s}, {0s, longest}));
  read.negative_cache_time =
      milliseconds(directory.duration("negative_cache_time", Microseconds{10s}, {0s, longest}));
  if (in_the_clear)
    made.warnings.push_back("[directory] asks its server in the clear" +
                            std::string{read.bind_dn.empty() ? "" : ", password included"} +
                            ": use ldaps:// or start_tls");
  return read;
}

}  // namespace

void read_directory(TomlTable directory, HubConfiguration& made) {
  if (directory.word("type", {"file", "ldap"}, "file") == "ldap") {
    made.ldap = read_ldap(directory, made);
  } else {
    made.recipients = directory.name("path");
  }
  directory.close();
}

}  // namespace relay
