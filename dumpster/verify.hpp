#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "dumpster/error.hpp"

namespace dumpster {

/// What a walk over a whole store has found.
struct Verification {
  std::uint64_t messages = 0;
  std::uint64_t spooled = 0;
  std::uint64_t lines = 0;
  std::uint64_t chunks = 0;
  std::uint64_t unaccepted_chunks = 0;  ///< of messages that were being received; the next start removes them
  std::vector<std::string> faults;      ///< one sentence each, the first 1000

  bool sound() const { return faults.empty(); }
};

/// Reads every record and body of the store in `path` and checks that they agree: each message has its whole
/// body and as many references as are counted, nothing refers to what is not there, and the totals are right.
/// The store must not be open; nothing in it is changed. An error when it cannot be read at all.
Result<Verification> verify_store(const std::filesystem::path& path);

}  // namespace dumpster
