#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dumpster/message.hpp"
#include "relay/directory/directory.hpp"
#include "relay/queue/slowdowns.hpp"
#include "relay/smtp/server_machine.hpp"

namespace relay {

/// What is said to one RCPT TO, and where its mail would go.
struct RecipientDecision {
  smtp::Reply reply;              ///< 250 accepts
  std::string_view refused_for;   ///< for counting; empty when accepted
  std::vector<Resolved> targets;  ///< more than one behind an alias; none: to the smarthost, as addressed
};

/// Trusted clients may send anywhere when there is a smarthost; everyone else only to recipients that the
/// directory knows.
RecipientDecision decide_recipient(Lookup found, bool client_is_trusted, bool has_smarthost);

/// Recipients of a message as they are spooled: the accepted commands with their targets (in the same order),
/// aliases expanded. Several that end at the same mailbox and detail of a storage group, or at the same
/// address elsewhere, are one recipient.
std::vector<dumpster::Recipient> expand_recipients(const std::vector<dumpster::Recipient>& accepted,
                                                   const std::vector<std::vector<Resolved>>& targets);

/// How long a message is kept waiting before it is taken in: as long as the slowest of its destinations asks
/// for. `targets` as above.
std::chrono::milliseconds longest_pause(const Slowdowns& slowdowns,
                                        const std::vector<std::vector<Resolved>>& targets,
                                        const std::optional<NextHop>& smarthost);

}  // namespace relay
