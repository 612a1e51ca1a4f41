#pragma once

#include <optional>
#include <string>
#include <vector>

#include "dumpster/store.hpp"
#include "relay/queue/back_off.hpp"
#include "relay/queue/job.hpp"
#include "relay/smtp/client_machine.hpp"

namespace relay {

struct OutcomeConditions {
  dumpster::Instant now{};
  BackOff back_off;
  dumpster::Duration queue_lifetime = std::chrono::hours{24 * 5};
  bool held = false;    ///< its cluster, by an operator: nothing is given up meanwhile
  double chance = 0.5;  ///< in [0, 1), for the jitter
};

/// What the end of a transaction means for each recipient of the job: results are in the order of
/// `job.recipients`. An unknown outcome is in doubt for a storage group and a retry, as every relay does, for
/// all other routes. A deferral past the queue lifetime (or a resubmission's own) is a refusal. Recipients
/// that were too many for a transaction that delivered to others are due again at once, in another one (RFC
/// 5321 4.5.3.1.10).
dumpster::AttemptOutcome outcome_of(const Job& job, std::uint32_t attempt,
                                    const std::optional<dumpster::AttemptTarget>& target,
                                    const std::vector<smtp::ClientRecipientResult>& results,
                                    const OutcomeConditions& conditions);

/// Why a transaction failed by the destination's fault, whatever the message: its connection broke, or it
/// says for every recipient that its system does not take mail at the moment (421, RFC 3463 X.3 and X.4).
/// Nothing when it works.
std::optional<std::string> fault_of_destination(const std::vector<smtp::ClientRecipientResult>& results,
                                                bool reusable);

/// `550 5.1.1 text`.
std::string reply_text(const smtp::Reply& reply);
/// The other way round; a text that does not begin with a code is that of a 554.
smtp::Reply reply_from(const std::string& text);

/// From when on nobody waits for `entry` any more.
dumpster::Instant too_old_at(const dumpster::SpooledMessage& message, const dumpster::SpoolEntry& entry,
                             dumpster::Duration queue_lifetime);
bool too_old(const dumpster::SpooledMessage& message, const dumpster::SpoolEntry& entry,
             dumpster::Instant now, dumpster::Duration queue_lifetime);

}  // namespace relay
