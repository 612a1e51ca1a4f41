#include <utility>

#include "relay/smtp/client_state.hpp"

namespace relay::smtp {
namespace {

std::string words_of(const Reply& reply) {
  return std::to_string(reply.code) + ' ' + (reply.enhanced.empty() ? "" : reply.enhanced + ' ') + reply.text;
}

/// As `reply`, but surely no acceptance.
Reply temporary(const Reply& reply) {
  if (reply.code >= 400) return reply;
  return {451, "4.5.0", "the next hop answered out of step: " + words_of(reply)};
}

/// RFC 5321 4.5.3.1.10: 552 for too many recipients means 452.
Reply without_too_many(Reply reply) {
  if (reply.code != 552 || (!reply.enhanced.empty() && reply.enhanced != "5.5.3")) return reply;
  return {452, "4.5.3", std::move(reply.text)};
}

}  // namespace

void ClientMachine::State::read_replies() {
  while (phase != Phase::failed && phase != Phase::handshake) {
    Reply reply;
    const auto status = parser.next(reply);
    if (status == ReplyParser::Status::incomplete) return;
    if (status == ReplyParser::Status::malformed) return out_of_step("malformed reply");
    ++replies;
    if (expected.empty()) {
      // A next hop may say 421 and hang up at any time; everything else that nobody asked for is out of step.
      if (reply.code != 421 && phase != Phase::body)
        return out_of_step("unexpected reply " + words_of(reply));
      if (phase == Phase::body && reply.code >= 500) settle_accepted(reply);
      return fail(words_of(reply), temporary(reply));
    }
    const auto due = expected.front();
    expected.pop_front();
    take(due, reply);
  }
}

void ClientMachine::State::take(const Expected& due, const Reply& reply) {
  if (reply.code == 421 && due.about != About::quit) return take_closing(due, reply);
  switch (due.about) {
    case About::greeting:
      return take_greeting(reply);
    case About::hello:
    case About::helo:
      return take_hello(due.about, reply);
    case About::start_tls:
      return take_start_tls(reply);
    case About::auth_plain:
    case About::auth_plain_empty:
    case About::auth_login:
    case About::auth_user:
    case About::auth_password:
      return take_authentication(due.about, reply);
    case About::reset:
      if (reply.code >= 300) return fail("RSET refused: " + words_of(reply), {451, "4.5.0", words_of(reply)});
      break;
    case About::mail:
      take_mail(reply);
      break;
    case About::recipient:
      take_recipient(due.recipient, reply);
      break;
    case About::data:
      take_data(reply);
      break;
    case About::chunk:
      return take_chunk(reply);
    case About::data_end:
      return take_data_end(due.recipient, reply);
    case About::no_message:
      return check_nothing_left();
    case About::quit:
      return fail("closed by QUIT", reply);
  }
  if (phase == Phase::commands && expected.empty()) issue_commands();
}

void ClientMachine::State::take_mail(const Reply& reply) {
  answered = true;
  if (reply.code < 300) return;
  if (reply.code < 400) return out_of_step("MAIL answered " + words_of(reply));
  mail_refused = true;
  settle_rest(reply);
}

void ClientMachine::State::take_recipient(std::size_t recipient, const Reply& reply) {
  if (reply.code >= 300 && reply.code < 400) return out_of_step("RCPT answered " + words_of(reply));
  if (mail_refused) return;
  if (reply.code < 300) {
    accepted.push_back(recipient);
  } else {
    settle(recipient, without_too_many(reply));
  }
}

void ClientMachine::State::take_data(const Reply& reply) {
  if (reply.code >= 400) {
    settle_accepted(reply);
    needs_reset = !mail_refused;
    return;
  }
  if (reply.code != 354) return out_of_step("DATA answered " + words_of(reply));
  // RFC 2920 3.1: without a recipient the next hop should have refused DATA. An empty message ends it; where
  // that could be taken for mail, or has no reply (LMTP), only the end of the connection is safe.
  if (mail_refused || (accepted.empty() && lmtp())) return out_of_step("DATA accepted without recipients");
  if (!accepted.empty()) {
    phase = Phase::body;
    return;
  }
  output += ".\r\n";
  expected.push_back({About::no_message, 0});
}

/// A chunk that is refused refuses the message (RFC 3030 2). What was written behind it has replies whose
/// number nobody knows, so the connection ends.
void ClientMachine::State::take_chunk(const Reply& reply) {
  if (reply.code < 300) {
    chunk_accepted = true;
    return;
  }
  if (reply.code < 400) return out_of_step("BDAT answered " + words_of(reply));
  if (is_about_bdat(reply)) return chunking_unknown(reply);
  settle_accepted(reply);
  fail("chunk refused: " + words_of(reply), reply);
}

/// 500 to 504 for the first BDAT are about the command, not about the message.
bool ClientMachine::State::is_about_bdat(const Reply& reply) const {
  return chunked && !chunk_accepted && reply.code >= 500 && reply.code <= 504;
}

void ClientMachine::State::chunking_unknown(const Reply& reply) {
  const Reply words{451, "4.5.0", "BDAT is offered and not known: " + words_of(reply)};
  chunking_failed = true;
  settle_accepted(words);
  fail(words.text, words);
}

void ClientMachine::State::take_data_end(std::size_t recipient, const Reply& reply) {
  if (reply.code >= 300 && reply.code < 400) {
    for (const auto accepted_one : accepted)
      settled[accepted_one] = false;
    return out_of_step("data answered " + words_of(reply));
  }
  if (is_about_bdat(reply)) return chunking_unknown(reply);
  chunk_accepted = true;
  if (lmtp()) {
    settle(recipient, reply);
  } else {
    settle_accepted(reply);
  }
  if (expected.empty()) check_nothing_left();
}

/// Behind the last reply of a transaction nothing may follow but 421: with one reply too many nobody knows
/// which belongs to whom.
void ClientMachine::State::check_nothing_left() {
  if (parser.empty()) return finish();
  Reply reply;
  const auto status = parser.next(reply);
  if (status == ReplyParser::Status::reply && reply.code == 421) {
    return fail("closed: " + words_of(reply), reply);
  }
  for (const auto recipient : accepted)
    settled[recipient] = false;
  out_of_step("one reply too many");
}

/// 421 in place of a reply: it is about that command, and the end of the connection for all others.
void ClientMachine::State::take_closing(const Expected& due, const Reply& reply) {
  if (due.about == About::data_end && lmtp()) settle(due.recipient, reply);
  if (due.about == About::data_end && !lmtp()) settle_accepted(reply);
  if (due.about == About::chunk) settle_accepted(reply);
  fail("closed: " + words_of(reply), reply);
}

void ClientMachine::State::out_of_step(const std::string& what) {
  fail("out of step: " + what, {451, "4.5.0", what});
}

}  // namespace relay::smtp
