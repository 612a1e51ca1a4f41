#include <CLI/CLI.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <functional>
#include <iostream>
#include <sstream>

#include "recovery/dumpsterctl/admin_client.hpp"
#include "recovery/dumpsterctl/dumpster_commands.hpp"
#include "recovery/dumpsterctl/views.hpp"

namespace {

using namespace recovery::dumpsterctl;

constexpr int fine = 0;
constexpr int failed = 1;
constexpr int not_accepting = 2;

struct Options {
  std::string socket = "/run/dumpsterd/admin.sock";
  bool json = false;
  std::string cluster;
  std::string resubmission;
};

class Fault : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

std::string ask(const Options& options, const std::string& path) {
  auto answer = AdminClient{options.socket}.get(path);
  if (!answer) throw Fault{answer.error().text};
  return std::move(*answer);
}

boost::json::object object_from(const std::string& text) {
  boost::system::error_code error;
  auto value = boost::json::parse(text, error);
  if (error || !value.is_object()) throw Fault{"the hub's answer is not a JSON object"};
  return std::move(value.get_object());
}

int status(const Options& options) {
  const auto text = ask(options, "/v1/status");
  const auto document = object_from(text);
  std::cout << (options.json ? text : status_view(document));
  return accepts_mail(document) ? fine : not_accepting;
}

int show_cluster(const Options& options) {
  const auto text = ask(options, "/v1/clusters/" + escaped(options.cluster));
  const auto document = object_from(text);
  std::cout << (options.json ? text : cluster_view(document));
  return fine;
}

int list_resubmissions(const Options& options) {
  const auto text = ask(options, "/v1/resubmissions");
  boost::json::array list;
  std::istringstream in{text};
  for (std::string line; std::getline(in, line);)
    list.push_back(object_from(line));
  std::cout << (options.json ? text : resubmissions_view(list));
  return fine;
}

int show_resubmission(const Options& options) {
  const auto text = ask(options, "/v1/resubmissions/" + escaped(options.resubmission));
  const auto document = object_from(text);
  std::cout << (options.json ? text : resubmission_view(document));
  return fine;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  std::function<int(const Options&)> command;
  DumpsterOptions dumpster;
  CLI::App app{"Asks a running dumpsterd through its admin socket.", "dumpsterctl"};
  app.set_version_flag("--version", DUMPSTER_VERSION);
  app.add_option("--socket", options.socket, "path of the admin socket")->capture_default_str();
  app.add_flag("--json", options.json, "print the hub's JSON instead of a table");
  app.require_subcommand(1);
  app.footer("Exit status: 0 fine, 1 error, 2 the hub does not accept mail (status).");

  app.add_subcommand("status", "the hub, its clusters, destinations and running resubmissions")
      ->callback([&] { command = status; });
  auto* cluster = app.add_subcommand("cluster", "clusters")->require_subcommand(1);
  auto* cluster_show = cluster->add_subcommand("show", "one cluster and its storage groups");
  cluster_show->add_option("cluster", options.cluster, "name of the cluster")->required();
  cluster_show->callback([&] { command = show_cluster; });
  add_dumpster_commands(app, dumpster, [&](auto run) {
    command = [run](const Options& given) { return run(AdminClient{given.socket}, given.json); };
  });
  auto* resubmit = app.add_subcommand("resubmit", "resubmissions")->require_subcommand(1);
  resubmit->add_subcommand("list", "all resubmissions, oldest first")->callback([&] {
    command = list_resubmissions;
  });
  auto* resubmit_show = resubmit->add_subcommand("show", "one resubmission");
  resubmit_show->add_option("id", options.resubmission, "id of the resubmission")->required();
  resubmit_show->callback([&] { command = show_resubmission; });

  try {
    app.parse(argc, argv);
    const int result = command(options);
    std::cout.flush();
    if (!std::cout) throw Fault{"standard output cannot be written"};
    return result;
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? fine : failed;
  } catch (const std::exception& error) {
    std::cerr << "dumpsterctl: " << error.what() << '\n';
    return failed;
  }
}
