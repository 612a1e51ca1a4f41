#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "dumpster/error.hpp"
#include "recovery/agent/state.hpp"

namespace recovery::agent {

/// Where the marker of this node's mail store is kept: inside the store, so that whatever wipes, restores or
/// unmounts the store takes it along.
class MarkerPlace {
 public:
  virtual ~MarkerPlace() = default;
  virtual std::string name() const = 0;
  /// The marker that is there; nothing when there is none. An error when the store is not there at all.
  virtual dumpster::Result<std::optional<std::string>> read() = 0;
  /// Whether the store holds nothing but, at the most, a marker: not mounted, wiped, or quite new.
  virtual dumpster::Result<bool> bare() = 0;
  /// Durable when it returns.
  virtual dumpster::Result<void> write(const std::string& marker) = 0;
};

/// `path` is the marker's file; the directory that it is in stands for the store.
std::unique_ptr<MarkerPlace> make_marker_file(std::string path);

/// How the store that is there stands to the one that the state knows.
enum class StoreStanding : std::uint8_t {
  unmarked,  ///< no place for a marker is configured: nothing can be confirmed
  own,       ///< the store under whose marker confirmations and own deliveries count
  first,     ///< neither state nor store has a marker: the agent has never been here
  foreign,   ///< a store with mail and another marker, or with none: restored, resynchronised or another disk
};

/// An error when the store is not there, cannot be read, or is bare without the marker that the state knows:
/// an inventory of it would call everything missing.
dumpster::Result<StoreStanding> standing_of(MarkerPlace* place, const State& state);

/// Gives the store a new marker and puts it into `state`, which the caller saves. In this order: after a
/// crash in between the store is a foreign one, and nothing counts as confirmed. Where the marker cannot be
/// written the state has a new one all the same, so that the old one is foreign from now on.
void renew_marker(MarkerPlace* place, State& state, dumpster::Instant now);

}  // namespace recovery::agent
