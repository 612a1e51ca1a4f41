#pragma once

#include <CLI/App.hpp>
#include <functional>
#include <string>

#include "recovery/dumpsterctl/admin_client.hpp"

namespace recovery::dumpsterctl {

/// What `dumpsterctl dumpster …` was asked for.
struct DumpsterOptions {
  std::string group;     ///< `cluster/group`
  std::string from;      ///< RFC 3339, or an age such as `2h`
  std::string until;     ///< likewise
  std::string state;     ///< of a delivery
  std::string delivery;  ///< its id
  std::string cover;     ///< a time such as `12h`
  std::string folder;    ///< for exported messages
  std::string recipient;
  bool all = false;
  bool yes = false;
};

/// Adds `dumpster show/list/purge/export`. `choose` is called with what is to be run; it throws
/// `std::runtime_error` in the operator's words, and gives the exit status.
void add_dumpster_commands(CLI::App& app, DumpsterOptions& options,
                           std::function<void(std::function<int(const AdminClient&, bool json)>)> choose);

}  // namespace recovery::dumpsterctl
