#pragma once

#include <CLI/App.hpp>
#include <cstdint>
#include <functional>
#include <string>

#include "recovery/dumpsterctl/admin_client.hpp"

namespace recovery::dumpsterctl {

/// What `dumpsterctl queue …` and `dumpsterctl trace` were asked for.
struct QueueOptions {
  std::string id;
  std::string message_id;
  std::string recipient;
  std::string sender;
  std::string destination;
  std::string older_than;  ///< an age such as `2h`, or an instant
  std::string what;        ///< of `trace`: id, Message-ID or address
  std::uint64_t limit = 1000;
  bool held = false;
  bool all = false;
  bool yes = false;
};

/// Adds `queue list/show/hold/release/retry/delete` and `trace`. `choose` is called with what is to be run;
/// it throws `std::runtime_error` in the operator's words, and gives the exit status: 3 when nothing fits.
void add_queue_commands(CLI::App& app, QueueOptions& options,
                        std::function<void(std::function<int(const AdminClient&, bool json)>)> choose);

}  // namespace recovery::dumpsterctl
