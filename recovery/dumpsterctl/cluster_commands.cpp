#include "recovery/dumpsterctl/cluster_commands.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <chrono>
#include <iostream>
#include <thread>

#include "recovery/agent/terms.hpp"
#include "recovery/dumpsterctl/answers.hpp"
#include "recovery/dumpsterctl/document_text.hpp"
#include "recovery/dumpsterctl/times.hpp"
#include "recovery/dumpsterctl/views.hpp"

namespace recovery::dumpsterctl {
namespace {

namespace json = boost::json;

constexpr std::chrono::milliseconds pause_between_looks{200};

std::string path_of(const ClusterOptions& options) {
  return "/v1/clusters/" + escaped(options.cluster);
}

int show(const ClusterOptions& options, const AdminClient& hub, bool as_json) {
  const auto text = text_or_fault(hub.get(path_of(options)));
  std::cout << (as_json ? text : cluster_view(object_from(text)));
  return 0;
}

/// The next term that belongs to the node: terms of different nodes are never equal.
std::uint64_t next_term_of(const ClusterOptions& options, const AdminClient& hub) {
  const auto cluster = object_from(text_or_fault(hub.get(path_of(options))));
  const auto& nodes = cluster.at("nodes").as_array();
  const auto place = std::find(nodes.begin(), nodes.end(), json::value(options.node));
  if (place == nodes.end()) throw CommandFault{options.cluster + " has no node " + options.node};
  return agent::next_term(cluster.at("term").to_number<std::uint64_t>(),
                          static_cast<std::size_t>(place - nodes.begin()), nodes.size());
}

int activate(const ClusterOptions& options, const AdminClient& hub, bool as_json) {
  const auto term = options.term ? *options.term : next_term_of(options, hub);
  const json::object request{{"node", options.node}, {"term", term}, {"kind", options.kind}};
  const auto text = text_or_fault(hub.post(path_of(options) + "/activations", json::serialize(request)));
  const auto answer = object_from(text);
  if (as_json) {
    std::cout << text;
  } else {
    std::cout << options.cluster << ": " << text_of(answer, "active") << " is active in term "
              << text_of(answer, "term") << '\n';
  }
  return 0;
}

void show_holding(const json::object& holding) {
  if (text_of(holding, "held") == "yes") {
    std::cout << text_of(holding, "cluster") << ": held until " << instant_of(holding, "held_until")
              << " UTC, ";
  } else {
    std::cout << text_of(holding, "cluster") << ": not held, ";
  }
  std::cout << text_of(holding, "in_flight") << " deliveries under way\n";
}

/// Looking again must not make the hold longer, so it is looked at by asking for what is left of it.
int hold(const ClusterOptions& options, const AdminClient& hub, bool as_json) {
  using Clock = std::chrono::steady_clock;
  const auto until = Clock::now() + std::chrono::seconds{seconds_argument(options.duration)};
  while (true) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now());
    if (left.count() <= 0) throw CommandFault{"the hold is over, and deliveries were still under way"};
    const json::object request{{"for", std::to_string(left.count()) + "ms"}};
    const auto text = text_or_fault(hub.post(path_of(options) + "/hold", json::serialize(request)));
    const auto holding = object_from(text);
    if (!options.wait || holding.at("in_flight").to_number<std::uint64_t>() == 0) {
      if (as_json) {
        std::cout << text;
      } else {
        show_holding(holding);
      }
      return 0;
    }
    std::this_thread::sleep_for(pause_between_looks);
  }
}

int release(const ClusterOptions& options, const AdminClient& hub, bool as_json) {
  const auto text = text_or_fault(hub.post(path_of(options) + "/release", "{}"));
  if (as_json) {
    std::cout << text;
  } else {
    show_holding(object_from(text));
  }
  return 0;
}

}  // namespace

void add_cluster_commands(CLI::App& app, ClusterOptions& options,
                          std::function<void(std::function<int(const AdminClient&, bool json)>)> choose) {
  auto* cluster = app.add_subcommand("cluster", "clusters")->require_subcommand(1);
  using Command = int (*)(const ClusterOptions&, const AdminClient&, bool);
  const auto add = [&](const char* name, const char* what, Command command) {
    auto* added = cluster->add_subcommand(name, what);
    added->add_option("cluster", options.cluster, "name of the cluster")->required();
    added->callback([&options, choose, command] {
      choose([&options, command](const AdminClient& hub, bool as_json) {
        return command(options, hub, as_json);
      });
    });
    return added;
  };
  add("show", "one cluster and its storage groups", &show);
  auto* activated = add("activate", "makes a node the active one, on this hub alone", &activate);
  activated->add_option("node", options.node, "name of the node")->required();
  activated->add_option("--term", options.term, "default: the next one that is the node's");
  activated->add_option("--kind", options.kind, "lossy (unplanned) or lossless (planned)")
      ->capture_default_str()
      ->check(CLI::IsMember({"lossy", "lossless"}));
  auto* held = add("hold", "stops deliveries to it for a time; mail is accepted all the while", &hold);
  held->add_option("--for", options.duration, "how long, e.g. 5m; it ends by itself")->required();
  held->add_flag("--wait", options.wait, "until no delivery is under way");
  add("release", "lets deliveries go on", &release);
}

}  // namespace recovery::dumpsterctl
