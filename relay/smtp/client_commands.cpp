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
  answered = chunked = chunk_accepted = chunking_failed = false;
  chunk.clear();
  encoder = DataEncoder{DataEncoder::Form::dots};
  if (phase != Phase::ready) return settle_rest({451, "4.4.2", failure.empty() ? "not connected" : failure});
  phase = Phase::commands;
  read_replies();
  if (phase != Phase::commands) return;
  for (std::size_t i = 0; i < recipients; ++i) {
    if (const auto refusal = cannot_take_recipient(transaction.recipients[i])) settle(i, *refusal);
  }
  if (const auto refusal = cannot_take()) settle_rest(*refusal);
  if (std::find(settled.begin(), settled.end(), false) == settled.end()) return finish();
  issue_commands();
}

std::optional<Reply> ClientMachine::State::cannot_take_recipient(
    const ClientTransaction::Recipient& recipient) const {
  if (!is_sendable(recipient.address)) return Reply{501, "5.1.3", "malformed recipient"};
  if (has_non_ascii(recipient.address) && !extensions.smtputf8) {
    return Reply{550, "5.6.7", "the next hop does not offer SMTPUTF8"};  // RFC 6531 3.5
  }
  return std::nullopt;
}

std::optional<Reply> ClientMachine::State::cannot_take() const {
  if (!is_sendable(transaction.sender)) return Reply{501, "5.1.7", "malformed sender"};
  if (!extensions.smtputf8 && has_non_ascii(transaction.sender)) {
    return Reply{550, "5.6.7", "the next hop does not offer SMTPUTF8"};
  }
  if (!extensions.smtputf8 && transaction.smtputf8 && !transaction.ascii_header) {
    return Reply{554, "5.6.9", "the header needs SMTPUTF8, which the next hop does not offer"};
  }
  if (transaction.body_type == dumpster::BodyType::binary_mime) {
    return Reply{554, "5.6.3", "BINARYMIME cannot be sent"};
  }
  if (transaction.body_type == dumpster::BodyType::eight_bit_mime && !extensions.eight_bit_mime) {
    return Reply{554, "5.6.3", "the next hop does not offer 8BITMIME"};
  }
  if (extensions.max_size > 0 && transaction.size > extensions.max_size) {
    return Reply{552, "5.3.4", "message too large for the next hop"};
  }
  if (transaction.require_tls && !(extensions.require_tls && under_tls && verified)) {
    return Reply{550, "5.7.30",
                 extensions.require_tls ? "REQUIRETLS: the next hop has not proved who it is"
                                        : "REQUIRETLS: the next hop does not offer it"};
  }
  return std::nullopt;
}

/// Sends as many commands as may be under way at once, when nothing is under way.
void ClientMachine::State::issue_commands() {
  const std::size_t burst = extensions.pipelining ? max_pipelined : 1;
  while (expected.size() < burst && issue_next_command()) {
  }
  if (phase != Phase::commands || !expected.empty()) return;
  if (may_chunk() && !mail_refused && !accepted.empty() && !data_sent) return begin_chunks();
  finish();
}

/// BDAT has no 354: with all replies to RCPT read, the body can begin (RFC 3030 4.2).
void ClientMachine::State::begin_chunks() {
  chunked = true;
  encoder = DataEncoder{DataEncoder::Form::verbatim};
  phase = Phase::body;
}

void ClientMachine::State::send_chunk(bool last) {
  output += "BDAT " + std::to_string(chunk.size()) + (last ? " LAST\r\n" : "\r\n");
  output += chunk;
  chunk.clear();
  if (!last) expected.push_back({About::chunk, 0});
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
  if (may_chunk()) return false;
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
