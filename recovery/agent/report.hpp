#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace recovery::agent {

/// What became of one hub. Counts are of recipients, but for `listed`, which counts lines.
struct HubReport {
  std::string address;
  bool reached = false;
  bool activated = false;
  bool filled = false;       ///< compared and filled to the end; `recovered` was told
  bool remembered = false;   ///< not reached (to its end), and kept for `fill`
  bool failed_call = false;  ///< the hub refused, or answered what makes no sense
  std::string trouble;       ///< why it is not filled; empty otherwise
  bool covered = true;       ///< its dumpster reaches back as far as the window
  std::string coverage;      ///< why not; empty otherwise
  std::size_t listed = 0;
  std::size_t present = 0;
  std::size_t in_doubt_settled = 0;  ///< either way
  std::size_t resubmitted = 0;
  std::size_t delivered = 0;
  std::size_t failed = 0;   ///< refused by the mailbox server
  std::size_t waiting = 0;  ///< to be delivered again, or still in doubt, when nothing moved any more
  std::size_t missing = 0;  ///< delivered again, and not in the mailbox afterwards
  /// Of orders that have ended; one that goes on is counted by whoever follows it to its end.
  std::size_t ended_present = 0;    ///< named as present
  std::size_t ended_delivered = 0;  ///< delivered again
  std::size_t unknown = 0;          ///< in mailboxes that the inventory could not look at
};

/// What was ordered (or, by a dry run, would be), and why; or what is missing in the end.
struct FilledItem {
  std::string hub;
  std::string group;
  std::string delivery_id;
  std::string message_id;
  std::string outcome;  ///< `deliver`, `settle as present` or `missing`
  std::string reason;   ///< one sentence
  std::vector<std::string> recipients;
};

/// What an operation did, and the exit status that follows.
struct Report {
  std::string operation;
  std::string cluster;
  std::string node;
  std::uint64_t term = 0;
  bool dry_run = false;
  bool unfenced = false;  ///< no `quiesce` command: the old node may still be sending
  std::string error;      ///< the operation broke off; empty otherwise
  std::string conflict;   ///< another node holds a higher term; empty otherwise
  std::vector<HubReport> hubs;
  std::vector<std::string> notes;  ///< e.g. mailboxes that could not be looked at
  bool keep_items = false;         ///< whether `items` is filled
  std::vector<FilledItem> items;

  /// 0 done; of several the first of 5 (higher term elsewhere), 1 (error), 4 (waiting, missing, failed or
  /// unknown after the fill), 3 (not covered), 2 (a hub not reached and remembered).
  int exit_status() const;
};

std::string to_json(const Report& report);
/// A line of JSON for each item.
std::string items_to_lines(const Report& report);
/// A line a hub and a total, for people.
std::string to_text(const Report& report);

}  // namespace recovery::agent
