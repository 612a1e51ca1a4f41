#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "dumpster/resubmission.hpp"
#include "dumpster/rocksdb/change.hpp"

namespace dumpster::rocks {

/// A request while its set is chosen. One change chooses one piece, so that no write grows with the request
/// and others get in between.
struct Preparation {
  explicit Preparation(ResubmissionRequest asked);

  ResubmissionRequest request;
  Uuid id;                           ///< nil before the first piece
  bool adopted = false;              ///< goes on with what a restart interrupted
  std::vector<std::uint32_t> order;  ///< of the items: those of one delivery stand together
  std::vector<bool> found;           ///< by item
  std::size_t next_item = 0;         ///< place in `order`
  Instant next{};                    ///< for a window: where it goes on
  Instant end{};
  Resubmission answer;  ///< what is known of it so far
  std::uint64_t deliveries = 0;
  std::uint64_t bytes = 0;
  std::vector<Uuid> touched;
};

/// Chooses the next piece; gives the answer with the last one. When a piece is refused, what the ones before
/// have chosen is given back by `abandon`.
std::optional<ResubmissionAccepted> choose_piece(Change& change, Preparation& preparation);

/// Ends a request that nobody has been answered for; `settle_piece` forgets it.
void abandon(Change& change, const Uuid& id);

/// What `choose_piece` goes on with for a window that a restart interrupted.
Preparation adopt(const Change& change, const Uuid& id);

/// `Store::cancel`.
std::vector<Uuid> cancel(Change& change, const Uuid& id);

/// Ends what runs in a cluster, because another term begins. Gives the messages whose spool entries have
/// changed.
std::vector<Uuid> end_resubmissions(Change& change, std::string_view cluster);

/// `Store::settle_resubmissions`.
std::vector<Uuid> settle_piece(Change& change);

/// Forgets the oldest finished resubmissions when there are too many or they are too old.
void forget_old_resubmissions(Change& change);

}  // namespace dumpster::rocks
