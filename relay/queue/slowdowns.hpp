#pragma once

#include <chrono>
#include <cstddef>
#include <map>

#include "relay/queue/job.hpp"

namespace relay {

/// How long a message is kept waiting before it is taken in, by where it goes: whoever sends faster than a
/// working destination takes is slowed down until both are as fast. Without that a hub that acknowledges
/// faster than its nodes store would gather mail without end. Not for destinations that take nothing at all:
/// their mail has to wait, and nothing is won by taking it more slowly.
class Slowdowns {
 public:
  static constexpr std::size_t untroubled = 20'000;  ///< so many may wait before anyone is slowed down
  /// Well below the two minutes that a client gives the reply to DATA (RFC 5321 4.5.3.2.3).
  static constexpr std::chrono::milliseconds longest{10'000};

  /// So many fresh messages wait for a destination that works: a second a message for each 20,000 above
  /// `untroubled`.
  void add(const Destination& destination, std::size_t waiting);
  /// Zero when mail for there is taken at once.
  std::chrono::milliseconds pause_of(const Destination& destination) const;
  bool none() const { return pauses_.empty(); }

 private:
  std::map<Destination, std::chrono::milliseconds> pauses_;
};

}  // namespace relay
