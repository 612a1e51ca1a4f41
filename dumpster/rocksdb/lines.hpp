#pragma once

#include <functional>
#include <optional>
#include <set>
#include <vector>

#include "dumpster/rocksdb/change.hpp"

namespace dumpster::rocks {

/// Places of recipients in a message's envelope.
using Indices = std::set<std::uint32_t>;

// The lines of a dumpster. Each function keeps line, index by id, totals of the group and references in step.

std::optional<LineRecord> line_at(const Change& change, const StorageGroup& group, Instant delivered_at);

/// The same, or nothing where it is damaged.
std::optional<LineRecord> readable_line(const Change& change, const StorageGroup& group,
                                        Instant delivered_at);

/// All lines of a delivery id, oldest first, without what ended resubmissions have left in them.
std::vector<LineRecord> lines_of(const Change& change, const StorageGroup& group, const Uuid& delivery_id);

/// `line.delivered_at` must come from `next_time`.
void insert_line(Change& change, const StorageGroup& group, const LineRecord& line);
/// Counts a line that is new in the dumpster.
void count_retained(Change& change, const StorageGroup& group, const LineRecord& line);
void remove_line(Change& change, const StorageGroup& group, const LineRecord& line);
/// Both have the same time.
void replace_line(Change& change, const StorageGroup& group, const LineRecord& before,
                  const LineRecord& after);

/// Takes the recipients in `indices` out of the line, which goes when none is left, and gives back the part
/// that was taken out; it is not in the store any more.
LineRecord take_part(Change& change, const StorageGroup& group, const LineRecord& whole,
                     const Indices& indices);

/// Alters the part of a line that `indices` name. All of it: in its place; less: as a line of its own with a
/// new time, since times are unique. Gives the time of the altered part.
Instant alter_part(Change& change, const StorageGroup& group, const LineRecord& whole, const Indices& indices,
                   const std::function<void(LineRecord&)>& alter);

/// How an attempt that is not going on leaves a line that was delivered before it: as that delivery.
void revert_to_delivered(LineRecord& line);

/// Reads a line that an ended resubmission has not given back yet as what it was.
void undo_ended(const Tables& tables, LineRecord& line);
void undo_ended(const std::set<Uuid>& ended, LineRecord& line);

/// Waits for something that will settle it, and is not evicted meanwhile.
bool is_pending(const Delivery& line);

/// All recipients of a line.
Indices indices_of(const Delivery& line);

}  // namespace dumpster::rocks
