#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "dumpster/instant.hpp"
#include "relay/directory/directory.hpp"
#include "relay/queue/job.hpp"

namespace relay {

/// Which spooled recipients an operator means: those that fit everything that is given; with nothing, all.
struct QueueFilter {
  std::optional<dumpster::Uuid> id;  ///< of the message, or of its delivery to one of its storage groups
  std::string message_id;
  std::string recipient;    ///< as accepted, after aliases, or as the client said it; letters of either case
  std::string sender;       ///< letters of either case; `<>` for the null sender
  std::string destination;  ///< `cluster`, `cluster/group`, a next hop or `smarthost`
  std::optional<dumpster::Instant> received_before;
  std::optional<bool> held;
};

enum class QueuedState : std::uint8_t {
  waiting,   ///< not tried yet
  deferred,  ///< tried, and to be tried again
  in_doubt,  ///< waits for evidence, or for the end of its hold
  held,      ///< by an operator
  under_way  ///< in a transaction now
};

struct QueuedRecipient {
  std::uint32_t index = 0;
  std::string address;
  std::string destination;  ///< empty: none is known at the moment
  QueuedState state = QueuedState::waiting;
  bool resubmission = false;
  std::uint32_t attempts = 0;
  dumpster::Instant next_attempt{};
  std::string last_reply;
};

struct QueuedMail {
  dumpster::Uuid id;
  std::string message_id;
  std::string sender;
  std::uint64_t size = 0;
  dumpster::Instant received_at{};
  std::vector<QueuedRecipient> recipients;  ///< those that fit; empty: the message does not
};

/// What of a message an operator sees.
QueuedMail inspect(const QueuedMessage& message, const QueueFilter& filter, const Directory& directory,
                   const std::optional<NextHop>& smarthost);

}  // namespace relay
