#pragma once

#include <cstdint>
#include <filesystem>

#include "dumpster/error.hpp"

namespace dumpster {

/// What a repair has saved and what it could not.
struct Repaired {
  std::uint64_t messages = 0;
  std::uint64_t spooled = 0;
  std::uint64_t lines = 0;
  std::uint64_t damaged_places = 0;  ///< records and parts of files that could not be read
  std::uint64_t lost_messages = 0;   ///< in the spool, without what is needed to deliver them
  std::uint64_t lost_lines = 0;      ///< retained deliveries whose message is not whole any more
  std::filesystem::path set_aside;   ///< where the damaged store is now
};

/// Makes a sound store of what can be read of the one in `path`, and puts it in its place; the damaged one is
/// set aside beside it, whole. The new one knows that it is one: with the next start it has another
/// `store_id`, covers nothing from before, and what is in its spool may have been delivered. Of a damaged
/// log everything is taken that carries its checksum, also behind the damage (but for the rest of its block).
///
/// The store must not be open. It takes as much room as the store again, and memory for each message. After
/// an error the store is where it was, as it was.
Result<Repaired> repair_store(const std::filesystem::path& path);

}  // namespace dumpster
