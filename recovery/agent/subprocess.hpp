#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

#include "dumpster/error.hpp"

namespace recovery::agent {

struct Subprocess {
  std::vector<std::string>
      arguments;      ///< the program first; no shell, looked up in PATH when it has no slash
  std::string input;  ///< what it reads on standard input
  std::chrono::milliseconds deadline{60'000};
  std::size_t largest_output = 256U << 20;
  const std::atomic<bool>* stop = nullptr;  ///< once true, the program is ended
};

struct SubprocessOutcome {
  int status = 0;  ///< of its exit; 128 + N when signal N ended it
  std::string output;
  std::string complaint;  ///< the end of its standard error, for a message
};

/// Runs a program in a process group of its own and waits for it. An error when it cannot be started, is not
/// done by the deadline or writes too much: its group is killed then.
dumpster::Result<SubprocessOutcome> run(const Subprocess& subprocess);

}  // namespace recovery::agent
