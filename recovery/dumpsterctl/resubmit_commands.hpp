#pragma once

#include <CLI/App.hpp>
#include <functional>
#include <string>
#include <vector>

#include "recovery/dumpsterctl/admin_client.hpp"

namespace recovery::dumpsterctl {

/// What `dumpsterctl resubmit …` was asked for.
struct ResubmitOptions {
  std::string group;       ///< `cluster/group`
  std::string from;        ///< RFC 3339, or an age such as `2h`
  std::string until;       ///< likewise; empty: now
  std::string recipient;   ///< an address or a mailbox
  std::string message_id;  ///< with or without angle brackets
  std::vector<std::string> deliveries;
  std::string key;  ///< empty: a new one
  std::string id;   ///< of a resubmission
  bool all = false;
  bool dry_run = false;
  bool wait = false;
};

/// Adds `resubmit add/list/show/cancel`. `choose` is called with what is to be run; it throws
/// `std::runtime_error` in the operator's words, and gives the exit status.
void add_resubmit_commands(CLI::App& app, ResubmitOptions& options,
                           std::function<void(std::function<int(const AdminClient&, bool json)>)> choose);

}  // namespace recovery::dumpsterctl
