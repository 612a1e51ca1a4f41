#include "relay/smtp/client_machine.hpp"

#include <utility>

#include "relay/smtp/client_state.hpp"
#include "relay/smtp/text.hpp"

namespace relay::smtp {
namespace {

/// Chunks of BDAT whose replies were not read yet: so many are written before the next hop is heard.
constexpr std::size_t max_unanswered_chunks = 32;
/// What of a peer's words is kept, in logs, in the store and in notifications.
constexpr std::size_t max_words = 1000;

Reply cleaned(const Reply& reply) {
  return {reply.code, reply.enhanced, clean_utf8(reply.text, max_words)};
}

}  // namespace

ClientMachine::ClientMachine(ClientSettings settings)
    : state_(std::make_unique<State>(std::move(settings))) {}
ClientMachine::~ClientMachine() = default;
ClientMachine::ClientMachine(ClientMachine&&) noexcept = default;
ClientMachine& ClientMachine::operator=(ClientMachine&&) noexcept = default;

ClientMachine::Action ClientMachine::next() {
  auto& state = *state_;
  state.read_replies();
  if (state.phase == State::Phase::failed) return Failed{state.failure, state.failure_words};
  if (state.phase == State::Phase::done) {
    state.phase = State::Phase::ready;
    return TransactionDone{};
  }
  if (state.phase == State::Phase::body && !state.chunk.empty()) state.send_chunk(false);
  if (!state.output.empty()) return Send{};
  if (state.phase == State::Phase::handshake) return StartTls{};
  if (state.phase == State::Phase::body) {
    const auto unanswered = state.extensions.pipelining ? max_unanswered_chunks : 1;
    if (state.chunked && state.expected.size() >= unanswered) return NeedInput{Waiting::chunk};
    return NeedBody{};
  }
  if (state.phase == State::Phase::ready) return Ready{};
  return NeedInput{state.waiting()};
}

void ClientMachine::receive(std::string_view bytes) {
  // What comes in front of the handshake came from anybody.
  if (state_->phase == State::Phase::failed || state_->phase == State::Phase::handshake) return;
  state_->parser.feed(bytes);
}

void ClientMachine::secured(bool verified) {
  auto& state = *state_;
  if (state.phase == State::Phase::failed) return;
  state.under_tls = true;
  state.verified = verified;
  if (state.phase != State::Phase::handshake) return;
  state.parser = {};
  state.extensions = {};
  state.phase = State::Phase::hello;
  state.greet();
}

void ClientMachine::begin(ClientTransaction transaction) {
  auto& state = *state_;
  state.transaction = std::move(transaction);
  state.begin();
}

void ClientMachine::body(std::string_view bytes) {
  auto& state = *state_;
  state.read_replies();
  if (state.phase != State::Phase::body) return;
  if (state.encoder.encode(bytes, state.chunked ? state.chunk : state.output)) return;
  const Reply forbidden{554, "5.6.0", "the message holds a bare CR, a bare LF or a NUL"};
  state.settle_rest(forbidden);
  state.fail(forbidden.text, forbidden);
}

void ClientMachine::body_end() {
  auto& state = *state_;
  state.read_replies();
  if (state.phase != State::Phase::body) return;
  if (!state.encoder.finish(state.chunked ? state.chunk : state.output)) {
    const Reply forbidden{554, "5.6.0", "the message ends with a bare CR"};
    state.settle_rest(forbidden);
    return state.fail(forbidden.text, forbidden);
  }
  state.phase = State::Phase::ended;
  if (state.chunked) state.send_chunk(true);
  if (!state.lmtp()) return state.expected.push_back({State::About::data_end, 0});
  for (const auto recipient : state.accepted)
    state.expected.push_back({State::About::data_end, recipient});
}

void ClientMachine::quit() {
  auto& state = *state_;
  if (state.phase != State::Phase::ready) return;
  state.command("QUIT", State::About::quit);
  state.phase = State::Phase::quitting;
}

void ClientMachine::disconnected(std::string_view detail) {
  disconnected(Reply{451, "4.4.2", "connection lost: " + std::string{detail}});
}

void ClientMachine::disconnected(Reply words) {
  auto& state = *state_;
  state.read_replies();
  state.fail(words.text, words);
}

std::string ClientMachine::take_output() {
  return std::exchange(state_->output, {});
}
const std::vector<ClientRecipientResult>& ClientMachine::results() const {
  return state_->results;
}
const ClientExtensions& ClientMachine::extensions() const {
  return state_->extensions;
}
std::uint64_t ClientMachine::replies() const {
  return state_->replies;
}
bool ClientMachine::answered() const {
  return state_->answered;
}
bool ClientMachine::chunking_failed() const {
  return state_->chunking_failed;
}

ClientMachine::Waiting ClientMachine::State::waiting() const {
  if (expected.empty()) return Waiting::quit;
  switch (expected.front().about) {
    case About::greeting:
      return Waiting::greeting;
    case About::hello:
    case About::helo:
    case About::start_tls:
    case About::auth_plain:
    case About::auth_plain_empty:
    case About::auth_login:
    case About::auth_user:
    case About::auth_password:
      return Waiting::hello;
    case About::reset:
    case About::mail:
      return Waiting::mail;
    case About::recipient:
      return Waiting::recipient;
    case About::data:
      return Waiting::data;
    case About::chunk:
      return Waiting::chunk;
    case About::data_end:
    case About::no_message:
      return Waiting::data_end;
    case About::quit:
      break;
  }
  return Waiting::quit;
}

void ClientMachine::State::settle(std::size_t recipient, const Reply& reply) {
  using Kind = ClientRecipientResult::Kind;
  if (settled[recipient]) return;
  settled[recipient] = true;
  const auto kind = reply.code < 300 ? Kind::delivered : reply.code >= 500 ? Kind::refused : Kind::deferred;
  results[recipient] = {kind, cleaned(reply)};
}

void ClientMachine::State::settle_accepted(const Reply& reply) {
  for (const auto recipient : accepted)
    settle(recipient, reply);
}

void ClientMachine::State::settle_rest(const Reply& reply) {
  for (std::size_t i = 0; i < results.size(); ++i)
    settle(i, reply);
}

void ClientMachine::State::finish() {
  phase = Phase::done;
}

void ClientMachine::State::fail(std::string reason, const Reply& words) {
  using Kind = ClientRecipientResult::Kind;
  if (phase == Phase::failed) return;
  failure_words = cleaned(words);
  if (in_transaction()) {
    const auto kind = phase == Phase::ended ? Kind::unknown : Kind::deferred;
    for (std::size_t i = 0; i < results.size(); ++i) {
      if (!settled[i]) results[i] = {kind, failure_words};
      settled[i] = true;
    }
  }
  // A transaction that is done before its `TransactionDone` was told keeps its results: `Failed` stands for
  // both.
  phase = Phase::failed;
  failure = clean_utf8(reason, max_words);
  output.clear();
  chunk.clear();
  expected.clear();
}

}  // namespace relay::smtp
