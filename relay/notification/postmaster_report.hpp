#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "dumpster/instant.hpp"
#include "dumpster/message.hpp"
#include "dumpster/store.hpp"

namespace relay::notification {

/// What no sender can be told: bounces that could not be delivered themselves, and resubmissions that a node
/// refused. Gathered, so that thousands of them are one mail and not a storm. Pure. Not thread-safe.
///
/// Kept in memory alone: after a crash the log and the dumpster (`failed`) still have it.
class PostmasterReport {
 public:
  struct Case {
    enum class Kind : std::uint8_t { undeliverable_notification, failed_resubmission };
    Kind kind = Kind::undeliverable_notification;
    dumpster::Uuid message;
    std::string message_id;
    std::string sender;
    std::string recipient;
    std::string where;  ///< storage group, or next hop
    std::string reply;
  };

  void add(Case one, dumpster::Instant now);
  bool empty() const { return count_ == 0; }
  /// Cases of the same cause come together: a report waits a moment for more, and long after the last report.
  bool due(dumpster::Instant now) const;
  /// The report as a mail from the null sender, ready for the store, and nothing is gathered any more.
  dumpster::NewMessage take(const std::string& hub_name, const std::string& postmaster,
                            std::vector<dumpster::Recipient> recipients, dumpster::Instant now);
  /// Gives up what is gathered; how many that was.
  std::uint64_t drop();

 private:
  std::vector<Case> cases_;  ///< the first ones
  std::uint64_t count_ = 0;
  dumpster::Instant first_{};
  std::optional<dumpster::Instant> last_report_;
};

}  // namespace relay::notification
