#pragma once

#include <CLI/App.hpp>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "recovery/dumpsterctl/admin_client.hpp"

namespace recovery::dumpsterctl {

/// What `dumpsterctl cluster …` was asked for.
struct ClusterOptions {
  std::string cluster;
  std::string node;
  std::string kind = "lossy";
  std::optional<std::uint64_t> term;  ///< none: the next one that is the node's
  std::string duration;               ///< of a hold, e.g. `5m`
  bool wait = false;                  ///< until nothing is under way
};

/// Adds `cluster show/activate/hold/release`. `choose` is called with what is to be run; it throws
/// `std::runtime_error` in the operator's words, and gives the exit status.
void add_cluster_commands(CLI::App& app, ClusterOptions& options,
                          std::function<void(std::function<int(const AdminClient&, bool json)>)> choose);

}  // namespace recovery::dumpsterctl
