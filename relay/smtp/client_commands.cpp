#include <algorithm>

#include "relay/smtp/client_state.hpp"
#include "relay/smtp/text.hpp"

namespace relay::smtp {
namespace {

/// Commands that are sent before their replies are read. More would let both sides block on writing (RFC
/// 2920 3.1).
constexpr std::size_t max_pipelined = 100;

/// Whether `address` can stand in a command without ending it.
bool is_sendable(std::string_view address) {
  constexpr std::size_t longest = 1024;
  return address.size() <= longest &&
         std::none_of(address.begin(), address.end(), [](char c) { return (c >= 0 && c < ' ') || c == 127; });
}

std::string notify_words(std::uint8_t bits) {
  namespace notify = dumpster::notify;
  if ((bits & notify::never) != 0) return "NEVER";
  std::string words;
  const auto add = [&](std::uint8_t bit, std::string_view word) {
    if ((bits & bit) == 0) return;
    if (!words.empty()) words += ',';
    words += word;
  };
  add(notify::success, "SUCCESS");
  add(notify::failure, "FAILURE");
  add(notify::delay, "DELAY");
  return words;
}

}  // namespace

void ClientMachine::State::command(std::string text, About about, std::size_t recipient) {
  output += text;
  output += "\r\n";
  expected.push_back({about, recipient});
}

void ClientMachine::State::begin() {
  const auto recipients = transaction.recipients.size();
  results.assign(recipients, {});
  settled.assign(recipients, false);
  accepted.clear();
  next_recipient = 0;
  mail_sent = mail_refused = data_sent = false;
  encoder = {};
  if (phase != Phase::ready) return settle_rest({451, "4.4.2", failure.empty() ? "not connected" : failure});
  phase = Phase::commands;
  read_replies();
  if (phase != Phase::commands) return;
  for (std::size_t i = 0; i < recipients; ++i) {
    if (!is_sendable(transaction.recipients[i].address)) settle(i, {501, "5.1.3", "malformed recipient"});
  }
  if (const auto refusal = cannot_take()) settle_rest(*refusal);
  if (std::find(settled.begin(), settled.end(), false) == settled.end()) return finish();
  issue_commands();
}

std::optional<Reply> ClientMachine::State::cannot_take() const {
  const auto& recipients = transaction.recipients;
  const bool utf8 = transaction.smtputf8 || has_non_ascii(transaction.sender) ||
                    std::any_of(recipients.begin(), recipients.end(),
                                [](const auto& recipient) { return has_non_ascii(recipient.address); });
  if (!is_sendable(transaction.sender)) return Reply{501, "5.1.7", "malformed sender"};
  if (utf8 && !extensions.smtputf8) return Reply{550, "5.6.7", "the next hop does not offer SMTPUTF8"};
  if (transaction.body_type == dumpster::BodyType::binary_mime) {
    return Reply{554, "5.6.3", "BINARYMIME cannot be sent"};
  }
  if (transaction.body_type == dumpster::BodyType::eight_bit_mime && !extensions.eight_bit_mime) {
    return Reply{554, "5.6.3", "the next hop does not offer 8BITMIME"};
  }
  if (extensions.max_size > 0 && transaction.size > extensions.max_size) {
    return Reply{552, "5.3.4", "message too large for the next hop"};
  }
  if (transaction.require_tls && !extensions.require_tls) {
    return Reply{554, "5.7.30", "the next hop does not offer REQUIRETLS"};
  }
  return std::nullopt;
}

/// Sends as many commands as may be under way at once, when nothing is under way.
void ClientMachine::State::issue_commands() {
  const std::size_t burst = extensions.pipelining ? max_pipelined : 1;
  while (expected.size() < burst && issue_next_command()) {
  }
  if (phase == Phase::commands && expected.empty()) finish();
}

/// False when there is nothing more to say before replies are read, or at all.
bool ClientMachine::State::issue_next_command() {
  if (mail_refused) return false;
  if (needs_reset && !mail_sent) {
    needs_reset = false;
    command("RSET", About::reset);
    return true;
  }
  if (!mail_sent) {
    mail_sent = true;
    command(mail_command(), About::mail);
    return true;
  }
  while (next_recipient < results.size() && settled[next_recipient])
    ++next_recipient;
  if (next_recipient < results.size()) {
    command(recipient_command(transaction.recipients[next_recipient]), About::recipient, next_recipient);
    ++next_recipient;
    return true;
  }
  if (data_sent) return false;
  const bool hope =
      !accepted.empty() || std::any_of(expected.begin(), expected.end(),
                                       [](const Expected& due) { return due.about == About::recipient; });
  if (!hope) {
    needs_reset = true;
    return false;
  }
  data_sent = true;
  command("DATA", About::data);
  return true;
}

std::string ClientMachine::State::mail_command() const {
  auto text = "MAIL FROM:<" + transaction.sender + '>';
  if (extensions.size && transaction.size > 0) text += " SIZE=" + std::to_string(transaction.size);
  if (transaction.body_type == dumpster::BodyType::eight_bit_mime) text += " BODY=8BITMIME";
  if (extensions.smtputf8 && transaction.smtputf8) text += " SMTPUTF8";
  if (transaction.require_tls) text += " REQUIRETLS";
  if (!extensions.dsn || lmtp()) return text;
  if (transaction.notify_return == dumpster::NotifyReturn::full) text += " RET=FULL";
  if (transaction.notify_return == dumpster::NotifyReturn::headers) text += " RET=HDRS";
  if (!transaction.envelope_id.empty() && is_xtext(transaction.envelope_id)) {
    text += " ENVID=" + transaction.envelope_id;
  }
  return text;
}

std::string ClientMachine::State::recipient_command(const ClientTransaction::Recipient& recipient) const {
  auto text = "RCPT TO:<" + recipient.address + '>';
  if (!extensions.dsn || lmtp()) return text;
  if (const auto words = notify_words(recipient.notify); !words.empty()) text += " NOTIFY=" + words;
  const auto& original = recipient.original_recipient;
  const bool sendable = is_sendable(original) && original.find(' ') == std::string::npos;
  if (!original.empty() && sendable && (extensions.smtputf8 || !has_non_ascii(original))) {
    text += " ORCPT=" + original;
  }
  return text;
}

}  // namespace relay::smtp
