#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "dumpster/delivery.hpp"
#include "dumpster/message.hpp"

namespace dumpster {

/// A recipient of a spooled message that is not settled yet.
struct SpoolEntry {
  std::uint32_t index = 0;     ///< place in the message's envelope
  std::uint32_t attempts = 0;  ///< attempts of this recipient whose outcome is recorded
  bool trying = false;      ///< durably marked as being tried (retries only; a first attempt is not marked)
  bool held = false;        ///< by an operator: not tried until released
  bool delay_told = false;  ///< the sender knows that it takes longer
  Instant next_attempt{};   ///< not before
  std::string last_reply;   ///< why it is still here; empty when never tried
  /// Set while a delivery line of this recipient stands in the dumpster as `in_doubt` or `resubmitting`:
  /// the line's group, mailbox and time. The group holds for the next attempt of a resubmission, whatever the
  /// directory says.
  std::optional<StorageGroup> group;
  std::string mailbox;
  Instant line{};
  bool in_doubt = false;  ///< that line is in doubt: only evidence or the end of the hold lets it go
  Instant in_doubt_since{};
  bool ever_delivered = false;  ///< of that line
  Uuid resubmission;            ///< the resubmission that it belongs to; nil for fresh mail
  Instant resubmit_until{};     ///< end of `resubmit_lifetime`, when `resubmission` is not nil
  /// It stood in the spool of a backup and may have been delivered since that was made, wherever it goes.
  /// Ends with the first attempt of this store.
  bool from_backup = false;

  bool operator==(const SpoolEntry&) const = default;
};

/// A message with what is left to do for it.
struct SpooledMessage {
  Message message;
  std::uint32_t attempts =
      0;  ///< transactions begun for this message as far as recorded; the next is `attempts + 1`
  std::vector<SpoolEntry> entries;

  bool operator==(const SpooledMessage&) const = default;
};

}  // namespace dumpster
