#include <CLI/CLI.hpp>
#include <functional>
#include <iostream>

#include "recovery/dumpsterctl/admin_client.hpp"
#include "recovery/dumpsterctl/answers.hpp"
#include "recovery/dumpsterctl/cluster_commands.hpp"
#include "recovery/dumpsterctl/dumpster_commands.hpp"
#include "recovery/dumpsterctl/queue_commands.hpp"
#include "recovery/dumpsterctl/resubmit_commands.hpp"
#include "recovery/dumpsterctl/views.hpp"

namespace {

using namespace recovery::dumpsterctl;

constexpr int fine = 0;
constexpr int failed = 1;
constexpr int not_accepting = 2;

struct Options {
  std::string socket = "/run/dumpsterd/admin.sock";
  bool json = false;
};

std::string ask(const Options& options, const std::string& path) {
  return text_or_fault(AdminClient{options.socket}.get(path));
}

int status(const Options& options) {
  const auto text = ask(options, "/v1/status");
  const auto document = object_from(text);
  std::cout << (options.json ? text : status_view(document));
  return accepts_mail(document) ? fine : not_accepting;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  std::function<int(const Options&)> command;
  DumpsterOptions dumpster;
  ClusterOptions cluster;
  ResubmitOptions resubmit;
  QueueOptions queue;
  CLI::App app{"Asks a running dumpsterd through its admin socket.", "dumpsterctl"};
  app.set_version_flag("--version", DUMPSTER_VERSION);
  app.add_option("--socket", options.socket, "path of the admin socket")->capture_default_str();
  app.add_flag("--json", options.json, "print the hub's JSON instead of a table");
  app.require_subcommand(1);
  app.footer(
      "Exit status: 0 fine, 1 error, 2 the hub does not accept mail (status), 3 nothing fits (queue, "
      "trace), 4 a resubmission that was waited for failed in part or was cancelled.");

  app.add_subcommand("status", "the hub, its clusters, destinations and running resubmissions")
      ->callback([&] { command = status; });
  const auto choose = [&](auto run) {
    command = [run](const Options& given) { return run(AdminClient{given.socket}, given.json); };
  };
  add_cluster_commands(app, cluster, choose);
  add_dumpster_commands(app, dumpster, choose);
  add_resubmit_commands(app, resubmit, choose);
  add_queue_commands(app, queue, choose);

  try {
    app.parse(argc, argv);
    const int result = command(options);
    std::cout.flush();
    if (!std::cout) throw CommandFault{"standard output cannot be written"};
    return result;
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? fine : failed;
  } catch (const std::exception& error) {
    std::cerr << "dumpsterctl: " << error.what() << '\n';
    return failed;
  }
}
