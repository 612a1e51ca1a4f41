#include "recovery/configuration/agent_configuration.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <fstream>
#include <set>

namespace recovery {
namespace {

using namespace std::chrono_literals;

/// `http://host:port`: no path, no user, nothing that an address built from it could be confused by.
bool is_hub_address(std::string_view address) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (!address.starts_with(scheme)) continue;
    const std::string_view host = address.substr(scheme.size());
    return !host.empty() && std::all_of(host.begin(), host.end(), [](unsigned char c) {
      return c < 128 &&
             (std::isalnum(c) != 0 || c == '.' || c == '-' || c == ':' || c == '[' || c == ']' || c == '_');
    });
  }
  return false;
}

std::vector<std::string> read_hubs(TomlTable& root) {
  std::vector<std::string> hubs;
  std::set<std::string> seen;
  for (std::string address : root.strings("hubs", required)) {
    if (address.ends_with('/')) address.pop_back();
    if (!is_hub_address(address)) {
      root.fault("hubs", "`hubs` has \"" + address +
                             "\", which is not of the form http://HOST:PORT or https://HOST:PORT");
    } else if (!seen.insert(address).second) {
      root.fault("hubs", "`hubs` names \"" + address + "\" twice");
    } else {
      hubs.push_back(std::move(address));
    }
  }
  if (hubs.empty() && root.has("hubs")) root.fault("hubs", "`hubs` must name at least one hub");
  return hubs;
}

std::string read_token(TomlTable& root) {
  const std::string path = root.string("token_file", required);
  if (path.empty()) return {};
  struct stat status {};
  std::ifstream file(path);
  if (!file || ::stat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) {
    root.fault("token_file", "the token file " + path + " cannot be read");
    return {};
  }
  if ((status.st_mode & 0066) != 0) {
    root.fault("token_file",
               "the token file " + path + " must not be open to its group or to others (chmod 600)");
  }
  std::string token;
  std::getline(file, token);
  while (!token.empty() && (token.back() == '\r' || token.back() == ' '))
    token.pop_back();
  const bool printable = std::all_of(token.begin(), token.end(), [](char c) { return c > ' ' && c < 127; });
  if (token.empty() || !printable || token.size() > 4096) {
    root.fault("token_file", "the token file " + path + " must have one token as its first line");
  }
  return token;
}

InventoryConfiguration read_inventory(TomlTable& root) {
  using Type = InventoryConfiguration::Type;
  InventoryConfiguration inventory;
  TomlTable table = root.table("inventory", required);
  const std::string type = table.word("type", {"maildir", "dovecot", "cyrus", "command"}, required);
  if (type == "dovecot" || type == "cyrus") {
    inventory.type = type == "cyrus" ? Type::cyrus : Type::dovecot;
    inventory.path = table.string("path", "");
  } else if (type == "command" && table.has("command") && !table.has("path")) {
    inventory.type = Type::command;
    inventory.path = table.string("command", required);
  } else {
    inventory.type = type == "command" ? Type::command : Type::maildir;
    inventory.path = table.string("path", required);
  }
  if (!inventory.path.empty() && inventory.path.front() != '/') {
    table.fault("path", "`inventory.path` must be an absolute path");
  }
  inventory.marker = table.string("marker", "");
  if (!inventory.marker.empty() && inventory.marker.front() != '/') {
    table.fault("marker", "`inventory.marker` must be an absolute path");
  }
  table.close();
  return inventory;
}

}  // namespace

std::optional<AgentConfiguration> read_agent_configuration(const std::string& path,
                                                           std::vector<ConfigurationFault>& faults) {
  const TomlDocument document = TomlDocument::read(path);
  TomlTable root = document.root();
  AgentConfiguration agent;
  agent.cluster = root.name("cluster");
  agent.node = root.name("node");
  agent.state_dir = root.name("state_dir");
  agent.hubs = read_hubs(root);
  agent.token = read_token(root);
  agent.lookback = root.duration("lookback", agent.lookback, {1s, 24h * 365});
  agent.margin = root.duration("margin", agent.margin, {0s, 24h * 365});
  agent.settle = root.duration("settle", agent.settle, {0s, 1h});
  agent.poll = root.duration("poll", agent.poll, {100ms, 1h});
  agent.report_replicated = root.boolean("report_replicated", agent.report_replicated);
  agent.quiesce = root.string("quiesce", "");
  agent.metrics = root.string("metrics", "");
  agent.ca = root.string("ca", "");
  agent.certificate = root.string("certificate", "");
  agent.key = root.string("key", "");
  if (agent.certificate.empty() != agent.key.empty()) {
    root.fault(agent.key.empty() ? "certificate" : "key", "`certificate` and `key` belong together");
  }
  agent.inventory = read_inventory(root);
  root.close();

  faults = document.faults();
  if (!faults.empty()) return std::nullopt;
  return agent;
}

}  // namespace recovery
