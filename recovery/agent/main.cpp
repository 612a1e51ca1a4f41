#include <signal.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <atomic>
#include <iostream>
#include <mutex>
#include <thread>

#include "metrics/log.hpp"
#include "recovery/agent/command_inventory.hpp"
#include "recovery/agent/curl_hub_client.hpp"
#include "recovery/agent/cyrus_inventory.hpp"
#include "recovery/agent/dovecot_inventory.hpp"
#include "recovery/agent/dovecot_store.hpp"
#include "recovery/agent/durable_file.hpp"
#include "recovery/agent/maildir_inventory.hpp"
#include "recovery/agent/operation.hpp"
#include "recovery/agent/status_text.hpp"
#include "recovery/agent/subprocess.hpp"
#include "recovery/agent/watch_loop.hpp"
#include "recovery/configuration/agent_configuration.hpp"
#include "recovery/configuration/quantity.hpp"

namespace {

using namespace recovery;
using namespace recovery::agent;
using namespace std::chrono_literals;

std::atomic<bool> stop{false};

void on_signal(int) {
  stop = true;
}

class MachineClock final : public AgentClock {
 public:
  /// `end`: when true, no pause goes on.
  explicit MachineClock(const std::atomic<bool>& end) : end_(end) {}

  Instant now() const override { return dumpster::system_clock().now(); }
  dumpster::Duration elapsed() const override {
    return std::chrono::duration_cast<dumpster::Duration>(
        std::chrono::steady_clock::now().time_since_epoch());
  }
  bool pause(dumpster::Duration duration) override {
    const dumpster::Duration end = elapsed() + duration;
    while (!end_ && elapsed() < end)
      std::this_thread::sleep_for(std::min<dumpster::Duration>(end - elapsed(), 50ms));
    return !end_;
  }

 private:
  const std::atomic<bool>& end_;
};

struct CommandLine {
  std::string configuration;
  std::string wait = "10s";
  std::string patience = "60s";
  bool json = false;
  bool no_fill = false;
  std::optional<std::uint64_t> term;
  PromoteOptions promote;
  std::string from;
  std::vector<std::string> mailboxes;
  std::string report_file;
};

std::unique_ptr<InventorySource> make_inventory(const InventoryConfiguration& inventory,
                                                const std::atomic<bool>& end) {
  switch (inventory.type) {
    case InventoryConfiguration::Type::dovecot:
      return make_dovecot_inventory(inventory.path, &end);
    case InventoryConfiguration::Type::cyrus:
      return make_cyrus_inventory(inventory.path, &end);
    case InventoryConfiguration::Type::command:
      return make_command_inventory(inventory.path, &end);
    case InventoryConfiguration::Type::maildir:
      break;
  }
  return make_maildir_inventory(inventory.path, &end);
}

/// Where the marker is kept; empty: nowhere.
std::string marker_path(const InventoryConfiguration& inventory) {
  if (!inventory.marker.empty()) return inventory.marker;
  std::string store;
  switch (inventory.type) {
    case InventoryConfiguration::Type::maildir:
      store = inventory.path;
      break;
    case InventoryConfiguration::Type::dovecot:
      store = dovecot_store(inventory.path, &stop);
      break;
    case InventoryConfiguration::Type::cyrus:
      store = cyrus_store(inventory.path);
      break;
    case InventoryConfiguration::Type::command:
      break;
  }
  return store.empty() ? std::string{} : store + "/.dumpster-store";
}

std::unique_ptr<HubClient> make_client(const AgentConfiguration& agent, const std::string& address,
                                       std::chrono::milliseconds wait, const std::atomic<bool>& end) {
  CurlHubClientSettings settings;
  settings.address = address;
  settings.token = agent.token;
  settings.node = agent.node;
  settings.ca = agent.ca;
  settings.certificate = agent.certificate;
  settings.key = agent.key;
  settings.connect_deadline = std::clamp<std::chrono::milliseconds>(wait, 100ms, 3s);
  settings.call_deadline = std::max<std::chrono::milliseconds>(wait, 1s);
  settings.stop = &end;
  return make_curl_hub_client(std::move(settings));
}

dumpster::Result<void> run_quiesce(const std::string& command, const std::atomic<bool>& end) {
  Subprocess shell;
  shell.arguments = {"/bin/sh", "-c", command};
  shell.deadline = 10min;
  shell.largest_output = 1U << 20;
  shell.stop = &end;
  const auto outcome = run(shell);
  if (!outcome) return outcome.error();
  if (outcome->status == 0) return {};
  return dumpster::Error{dumpster::Fault::unavailable,
                         "status " + std::to_string(outcome->status) + " " + outcome->complaint};
}

std::function<void(const std::string&)> progress_line() {
  if (::isatty(STDERR_FILENO) == 0) return {};
  const auto mutex = std::make_shared<std::mutex>();
  return [mutex](const std::string& what) {
    const std::lock_guard lock{*mutex};
    std::cerr << what << std::endl;
  };
}

Surroundings surroundings_of(const AgentConfiguration& agent, dumpster::Duration wait, MachineClock& clock,
                             const std::atomic<bool>& end) {
  Surroundings surroundings;
  surroundings.cluster = agent.cluster;
  surroundings.node = agent.node;
  surroundings.lookback = agent.lookback;
  surroundings.margin = agent.margin;
  surroundings.settle = agent.settle;
  surroundings.wait = wait;
  const auto call_wait = std::chrono::duration_cast<std::chrono::milliseconds>(wait);
  for (const std::string& hub : agent.hubs)
    surroundings.hubs.push_back(make_client(agent, hub, call_wait, end));
  surroundings.inventory = make_inventory(agent.inventory, end);
  const std::string marker = marker_path(agent.inventory);
  if (!marker.empty()) {
    surroundings.marker = make_marker_file(marker);
    surroundings.ledger = make_ledger_file(agent.state_dir);
  }
  surroundings.clock = &clock;
  if (!agent.quiesce.empty()) {
    surroundings.quiesce = [command = agent.quiesce, &end] { return run_quiesce(command, end); };
  }
  surroundings.progress = progress_line();
  return surroundings;
}

/// A time with its unit, or whole seconds.
std::optional<dumpster::Duration> wait_from(std::string text) {
  if (!text.empty() && text.find_first_not_of("0123456789") == std::string::npos) text += "s";
  return duration_from(text);
}

int complain(const std::string& sentence) {
  std::cerr << "dumpster-agent: " << sentence << "\n";
  return 1;
}

int print(const Report& report, bool json) {
  std::cout << (json ? to_json(report) + "\n" : to_text(report)) << std::flush;
  return report.exit_status();
}

/// Prints the report, and writes the file of `--report`.
int conclude(const Report& report, const CommandLine& line) {
  const int status = print(report, line.json);
  if (line.report_file.empty()) return status;
  const auto written = replace_file(line.report_file, items_to_lines(report), 0600);
  return written ? status : complain(written.error().detail);
}

int run_watch(const AgentConfiguration& agent, dumpster::Duration wait) {
  std::atomic<bool> give_way{false};
  MachineClock clock{give_way};
  Surroundings surroundings = surroundings_of(agent, wait, clock, give_way);
  surroundings.wait = dumpster::Duration::zero();  // what is away is asked again in a later round
  surroundings.progress = {};
  if (!surroundings.marker)
    metrics::log_warning("no store marker is configured: nothing is confirmed, and no lag is measured");
  WatchLoopSettings settings;
  settings.state_dir = agent.state_dir;
  settings.metrics_address = agent.metrics;
  settings.watch.poll = agent.poll;
  settings.watch.report_replicated = agent.report_replicated;
  return watch_until(stop, give_way, surroundings, settings);
}

int perform(const std::string& command, const CommandLine& line, Surroundings& surroundings) {
  const bool items = !line.report_file.empty();
  if (command == "promote") return conclude(promote(surroundings, line.promote, items), line);
  if (command == "demote") return print(demote(surroundings), line.json);
  if (command == "status") {
    const StatusReport report = status(surroundings);
    std::cout << (line.json ? to_json(report) + "\n" : to_text(report)) << std::flush;
    return report.report.exit_status();
  }
  if (line.from.empty() && line.mailboxes.empty()) return conclude(fill(surroundings, items), line);
  WindowOptions window;
  const auto from = dumpster::from_rfc3339(line.from);
  if (!from) return complain("--from must be a time such as 2026-01-31T12:00:00Z");
  window.from = *from;
  window.mailboxes = {line.mailboxes.begin(), line.mailboxes.end()};
  return conclude(fill_window(surroundings, window, items), line);
}

void define(CLI::App& app, CommandLine& line) {
  app.require_subcommand(1);
  app.set_version_flag("--version", DUMPSTER_VERSION);
  app.add_option("--config", line.configuration, "The agent's configuration file")->required();
  app.add_option("--wait", line.wait, "How long a hub may be out of reach before it is left for `fill`");
  app.add_flag("--json", line.json, "Print the report as JSON");
  CLI::App* promote = app.add_subcommand("promote", "Activate this node on all hubs, then fill the gap");
  promote->add_flag("--no-fill", line.no_fill, "Only activate; `fill` does the rest");
  promote->add_flag("--planned", line.promote.planned, "A lossless move");
  promote->add_flag(
      "--dry-run", line.promote.dry_run,
      "Change nothing; print what would be resubmitted, or with --no-fill only what is not covered");
  promote->add_flag("--new-store", line.promote.new_store,
                    "The mail store is empty on purpose: fill it from the dumpsters");
  promote->add_option("--term", line.term, "The term, from the cluster manager");
  CLI::App* fill =
      app.add_subcommand("fill", "Finish with the hubs that promote did not reach, or fill a window again");
  fill->add_option("--from", line.from, "Compare again what was delivered since then (RFC 3339)");
  fill->add_option("--mailbox", line.mailboxes, "Only this mailbox; may be repeated")->needs("--from");
  app.add_subcommand("demote", "Record that this node is passive now");
  app.add_subcommand("status", "Show what is kept and how the hubs see the cluster");
  app.add_subcommand(
      "watch", "Run always: confirm what arrives here while passive, settle what is in doubt while active");
  for (CLI::App* command : {promote, fill}) {
    command->add_option("--report", line.report_file,
                        "Write a line for each message that is filled, and why");
    command->add_option("--patience", line.patience,
                        "How long nothing may be delivered before what still waits is left to the hubs");
  }
  for (CLI::App* command : app.get_subcommands({}))
    command->fallthrough();
}

}  // namespace

int main(int argc, char** argv) {
  ::signal(SIGPIPE, SIG_IGN);
  ::signal(SIGTERM, on_signal);
  ::signal(SIGINT, on_signal);
  CommandLine line;
  CLI::App app{"The agent of Transport Dumpster on a mailbox node", "dumpster-agent"};
  define(app, line);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 1;
  }
  line.promote.fill = !line.no_fill;
  line.promote.term = line.term;
  const std::string command = app.get_subcommands().front()->get_name();
  const auto wait = wait_from(line.wait);
  if (!wait || *wait > 24h) return complain("--wait must be a time such as 10s");
  const auto patience = wait_from(line.patience);
  if (!patience || *patience > 24h) return complain("--patience must be a time such as 60s");

  std::vector<ConfigurationFault> faults;
  const auto configuration = read_agent_configuration(line.configuration, faults);
  for (const ConfigurationFault& fault : faults)
    std::cerr << to_string(fault) << "\n";
  if (!configuration) return 1;
  if (command == "watch") return run_watch(*configuration, *wait);
  const auto open = command == "status" ? open_state_to_look : open_state;
  auto state = open(configuration->state_dir, configuration->cluster, configuration->node, 30s);
  if (!state) return complain(state.error().detail);
  MachineClock clock{stop};
  Surroundings surroundings = surroundings_of(*configuration, *wait, clock, stop);
  surroundings.state = std::move(*state);
  surroundings.patience = *patience;
  return perform(command, line, surroundings);
}
