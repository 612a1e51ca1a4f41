#include "relay/smtp/server_machine.hpp"

#include "relay/smtp/server_state.hpp"

namespace relay::smtp {

ServerMachine::ServerMachine(ServerSettings settings)
    : state_(std::make_unique<State>(std::move(settings))) {}
ServerMachine::~ServerMachine() = default;
ServerMachine::ServerMachine(ServerMachine&&) noexcept = default;
ServerMachine& ServerMachine::operator=(ServerMachine&&) noexcept = default;

void ServerMachine::greet(Reply greeting) {
  state_->say(greeting);
  if (greeting.code == 220) {
    state_->phase = State::Phase::command;
  } else {
    state_->close();
  }
}

void ServerMachine::receive(std::string_view bytes) {
  auto& state = *state_;
  if (state.phase == State::Phase::closed) return;
  if (state.rest.empty()) {
    state.rest = bytes;
    return;
  }
  std::string joined;
  joined.reserve(state.rest.size() + bytes.size());
  joined.append(state.rest).append(bytes);
  state.held = std::move(joined);
  state.rest = state.held;
}

ServerMachine::Action ServerMachine::next() {
  auto& state = *state_;
  while (true) {
    if (!state.actions.empty()) {
      auto action = std::move(state.actions.front());
      state.actions.pop_front();
      return action;
    }
    if (state.phase == State::Phase::closed) return Close{};
    const bool waiting = state.phase == State::Phase::greeting || state.phase == State::Phase::answer ||
                         state.phase == State::Phase::tls;
    if (waiting) state.keep_rest();
    const bool chunk_over = state.phase == State::Phase::chunk && state.chunk_left == 0;
    if (waiting || (state.rest.empty() && !chunk_over)) return NeedInput{};
    state.step();
  }
}

void ServerMachine::answer(Reply reply) {
  auto& state = *state_;
  if (state.phase != State::Phase::answer) return;
  if (state.question == State::Question::message) return answer_message({std::move(reply)});
  state.phase = State::Phase::command;
  switch (state.question) {
    case State::Question::sender:
      state.answered_sender(reply);
      break;
    case State::Question::recipient:
      state.answered_recipient(reply);
      break;
    case State::Question::password:
      state.answered_password(reply);
      break;
    case State::Question::data:
    case State::Question::chunk:
      state.answer_body(reply);
      break;
    case State::Question::message:
      break;
  }
}

void ServerMachine::answer_message(std::vector<Reply> replies) {
  auto& state = *state_;
  if (state.phase != State::Phase::answer || state.question != State::Question::message) return;
  const Reply missing{451, "4.3.0", "the outcome of the message is not known, try again"};
  if (replies.empty()) replies.push_back(missing);
  replies.resize(state.lmtp() ? state.envelope.recipients.size() : 1, missing);
  for (const auto& reply : replies) {
    state.say(reply);
    if (reply.code < 300) state.errors = state.refusals = 0;
  }
  state.phase = State::Phase::command;
  state.body = State::Body::none;
  state.reset();
}

void ServerMachine::secured() {
  if (state_->phase == State::Phase::tls) state_->secured();
}

std::string ServerMachine::take_output() {
  return std::exchange(state_->output, {});
}

const dumpster::Envelope& ServerMachine::envelope() const {
  return state_->envelope;
}
const std::string& ServerMachine::client_name() const {
  return state_->client_name;
}
std::uint64_t ServerMachine::declared_size() const {
  return state_->declared_size;
}

const std::string& ServerMachine::user() const {
  return state_->user;
}
const ForwardedClient& ServerMachine::forwarded() const {
  return state_->forwarded;
}

bool ServerMachine::receiving() const {
  return state_->phase == State::Phase::data || state_->phase == State::Phase::chunk;
}

std::string ServerMachine::transmission_type() const {
  const auto& state = *state_;
  if (!state.lmtp() && !state.extended) return "SMTP";
  std::string type = state.envelope.smtputf8 ? "UTF8" : (state.lmtp() ? "" : "E");
  type += state.lmtp() ? "LMTP" : "SMTP";
  if (state.secure) type += 'S';
  if (!state.user.empty()) type += 'A';
  return type;
}

void ServerMachine::State::keep_rest() {
  if (rest.empty() || (rest.data() >= held.data() && rest.data() < held.data() + held.size())) return;
  held.assign(rest);
  rest = held;
}

void ServerMachine::State::step() {
  switch (phase) {
    case Phase::command:
      read_command();
      break;
    case Phase::credentials:
      read_credentials();
      break;
    case Phase::data:
      read_data();
      break;
    case Phase::chunk:
      read_chunk();
      break;
    case Phase::greeting:
    case Phase::answer:
    case Phase::tls:
    case Phase::closed:
      break;
  }
}

void ServerMachine::State::ask(Question about, Action action) {
  question = about;
  phase = Phase::answer;
  act(std::move(action));
}

bool ServerMachine::State::too_many_errors() {
  if (++errors < settings.max_errors) return false;
  say({421, "4.7.0", "too many errors"});
  close();
  return true;
}

void ServerMachine::State::refuse(const Reply& reply, std::string_view reason) {
  act(Refused{reason});
  if (!too_many_errors()) say(reply);
}

void ServerMachine::State::close() {
  reset();
  phase = Phase::closed;
  rest = {};
  act(Close{});
}

/// Forgets the transaction; a message that has begun is dropped.
void ServerMachine::State::reset() {
  if (body == Body::begun) act(DropMessage{"aborted"});
  body = Body::none;
  in_transaction = false;
  envelope = {};
  declared_size = 0;
  chunked = false;
  body_size = 0;
  verdict.reset();
}

}  // namespace relay::smtp
