#include <algorithm>
#include <charconv>

#include "relay/smtp/client_state.hpp"
#include "relay/smtp/text.hpp"

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
  while (phase != Phase::failed) {
    Reply reply;
    const auto status = parser.next(reply);
    if (status == ReplyParser::Status::incomplete) return;
    if (status == ReplyParser::Status::malformed) return out_of_step("malformed reply");
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
    case About::data_end:
      return take_data_end(due.recipient, reply);
    case About::no_message:
      return check_nothing_left();
    case About::quit:
      return fail("closed by QUIT", reply);
  }
  if (phase == Phase::commands && expected.empty()) issue_commands();
}

void ClientMachine::State::take_greeting(const Reply& reply) {
  if (reply.code != 220) return fail("greeting: " + words_of(reply), reply);
  command((lmtp() ? "LHLO " : "EHLO ") + settings.hub_name, About::hello);
}

void ClientMachine::State::take_hello(About about, const Reply& reply) {
  if (reply.code >= 500 && about == About::hello && !lmtp()) {
    return command("HELO " + settings.hub_name, About::helo);
  }
  if (reply.code != 250) return fail("hello: " + words_of(reply), reply);
  if (about == About::hello) read_extensions(reply.text);
  phase = Phase::ready;
}

void ClientMachine::State::read_extensions(std::string_view text) {
  auto end = text.find('\n');  // the first line names the host
  while (end != std::string_view::npos) {
    text.remove_prefix(end + 1);
    end = text.find('\n');
    const auto line = text.substr(0, end);
    const auto keyword = line.substr(0, line.find(' '));
    const auto parameter = line.substr(std::min(keyword.size() + 1, line.size()));
    if (same_word(keyword, "PIPELINING")) extensions.pipelining = true;
    if (same_word(keyword, "8BITMIME")) extensions.eight_bit_mime = true;
    if (same_word(keyword, "SMTPUTF8")) extensions.smtputf8 = true;
    if (same_word(keyword, "DSN")) extensions.dsn = true;
    if (same_word(keyword, "REQUIRETLS")) extensions.require_tls = true;
    if (same_word(keyword, "STARTTLS")) extensions.start_tls = true;
    if (same_word(keyword, "SIZE")) {
      extensions.size = true;
      std::from_chars(parameter.data(), parameter.data() + parameter.size(), extensions.max_size);
    }
  }
}

void ClientMachine::State::take_mail(const Reply& reply) {
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

void ClientMachine::State::take_data_end(std::size_t recipient, const Reply& reply) {
  if (reply.code >= 300 && reply.code < 400) {
    for (const auto accepted_one : accepted)
      settled[accepted_one] = false;
    return out_of_step("data answered " + words_of(reply));
  }
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
  fail("closed: " + words_of(reply), reply);
}

void ClientMachine::State::out_of_step(const std::string& what) {
  fail("out of step: " + what, {451, "4.5.0", what});
}

}  // namespace relay::smtp
