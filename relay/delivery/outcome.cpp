#include "relay/delivery/outcome.hpp"

#include <algorithm>
#include <regex>

namespace relay {

using Kind = dumpster::RecipientOutcome::Kind;
using ResultKind = smtp::ClientRecipientResult::Kind;

namespace {

Kind kind_of(ResultKind result, bool for_group) {
  switch (result) {
    case ResultKind::delivered:
      return Kind::delivered;
    case ResultKind::refused:
      return Kind::refused;
    case ResultKind::unknown:
      return for_group ? Kind::in_doubt : Kind::deferred;
    case ResultKind::deferred:
      break;
  }
  return Kind::deferred;
}

/// RFC 5321 4.5.3.1.10: the next hop takes no more recipients in this transaction. 552 has been made 452 by
/// the machine; with another detail (a full mailbox, a full disk) it is about something else.
bool is_too_many_recipients(const smtp::ClientRecipientResult& result) {
  return result.kind == ResultKind::deferred && result.reply.code == 452 &&
         (result.reply.enhanced.empty() || result.reply.enhanced == "4.5.3");
}

bool is_delivered(const smtp::ClientRecipientResult& result) {
  return result.kind == ResultKind::delivered;
}

}  // namespace

dumpster::Instant too_old_at(const dumpster::SpooledMessage& message, const dumpster::SpoolEntry& entry,
                             dumpster::Duration queue_lifetime) {
  return entry.resubmission.is_nil() ? message.message.received_at + queue_lifetime : entry.resubmit_until;
}

bool too_old(const dumpster::SpooledMessage& message, const dumpster::SpoolEntry& entry,
             dumpster::Instant now, dumpster::Duration queue_lifetime) {
  return now >= too_old_at(message, entry, queue_lifetime);
}

std::string reply_text(const smtp::Reply& reply) {
  auto text = std::to_string(reply.code);
  if (!reply.enhanced.empty()) text += " " + reply.enhanced;
  if (!reply.text.empty()) text += " " + reply.text;
  return text;
}

smtp::Reply reply_from(const std::string& text) {
  static const std::regex form{R"(([245][0-9]{2})(?: ([245]\.[0-9]{1,3}\.[0-9]{1,3}))?(?: ([^]*))?)"};
  std::smatch parts;
  if (!std::regex_match(text, parts, form)) return {554, "", text};
  return {std::stoi(parts[1]), parts[2], parts[3]};
}

std::optional<std::string> fault_of_destination(const std::vector<smtp::ClientRecipientResult>& results,
                                                bool reusable) {
  const auto of_system = [](const smtp::ClientRecipientResult& result) {
    if (result.kind == ResultKind::unknown) return true;
    if (result.kind != ResultKind::deferred) return false;
    return result.reply.code == 421 || result.reply.enhanced.starts_with("4.3.") ||
           result.reply.enhanced.starts_with("4.4.");
  };
  if (results.empty()) return std::nullopt;
  const auto fault = std::find_if(results.begin(), results.end(), of_system);
  if (fault == results.end()) return std::nullopt;
  // One recipient's trouble beside another's delivery is not the system's, as long as the connection lives.
  if (reusable && !std::all_of(results.begin(), results.end(), of_system)) return std::nullopt;
  return reply_text(fault->reply);
}

dumpster::AttemptOutcome outcome_of(const Job& job, std::uint32_t attempt,
                                    const std::optional<dumpster::AttemptTarget>& target,
                                    const std::vector<smtp::ClientRecipientResult>& results,
                                    const OutcomeConditions& conditions) {
  dumpster::AttemptOutcome outcome;
  outcome.message = job.message->spooled.message.key;
  outcome.attempt = attempt;
  outcome.target = target;
  // Each further transaction delivers to somebody, so that this comes to its end.
  const bool may_go_on = std::any_of(results.begin(), results.end(), is_delivered);
  for (std::size_t place = 0; place < job.recipients.size(); ++place) {
    const auto& recipient = job.recipients[place];
    const auto* entry = job.message->entry(recipient.index);
    if (entry == nullptr || place >= results.size()) continue;
    const auto& result = results[place];
    dumpster::RecipientOutcome ended;
    ended.index = recipient.index;
    ended.mailbox = recipient.mailbox;
    ended.reply = reply_text(result.reply);
    ended.kind = kind_of(result.kind, target.has_value());
    ended.next_attempt = conditions.now + conditions.back_off.after(entry->attempts + 1, conditions.chance);
    if (may_go_on && is_too_many_recipients(result)) {
      ended.next_attempt = conditions.now;
    } else if (ended.kind == Kind::deferred && !conditions.held &&
               too_old(job.message->spooled, *entry, conditions.now, conditions.queue_lifetime)) {
      ended.kind = Kind::refused;
    }
    outcome.recipients.push_back(std::move(ended));
  }
  return outcome;
}

}  // namespace relay
