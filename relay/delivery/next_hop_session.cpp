#include "relay/delivery/next_hop_session.hpp"

#include <algorithm>

namespace relay {

namespace asio = boost::asio;
using boost::system::error_code;
using smtp::ClientMachine;

namespace {

constexpr std::chrono::seconds farewell_limit{1};

std::chrono::milliseconds limit_of(ClientMachine::Waiting waiting, const NextHopPatience& patience) {
  switch (waiting) {
    case ClientMachine::Waiting::greeting:
      return patience.greeting;
    case ClientMachine::Waiting::data:
      return patience.data;
    case ClientMachine::Waiting::chunk:
      return patience.block;
    case ClientMachine::Waiting::data_end:
      return patience.data_end;
    case ClientMachine::Waiting::quit:
      return patience.quit;
    case ClientMachine::Waiting::hello:
    case ClientMachine::Waiting::mail:
    case ClientMachine::Waiting::recipient:
      break;
  }
  return patience.command;
}

}  // namespace

asio::awaitable<TransactionEnd> NextHopSession::transact(smtp::ClientTransaction transaction,
                                                         BodySource& body) {
  TransactionEnd end;
  patience_ = policy_.patience.replies + policy_.patience.each_recipient * transaction.recipients.size();
  give_up_at_ = std::chrono::steady_clock::now() + patience_;
  machine_.begin(std::move(transaction));
  auto turn = co_await drive(&body);
  end.results = machine_.results();
  end.answered = machine_.answered();
  end.chunking_failed = machine_.chunking_failed();
  end.passes_dsn = machine_.extensions().dsn && hop_.protocol == NextHop::Protocol::smtp;
  // What the machine needs to be ready again (RSET) is part of this transaction, not of the next one's first
  // attempt.
  if (turn == Turn::transaction_done && !cut_) turn = co_await drive(nullptr);
  end.reusable = turn == Turn::ready && !cut_;
  if (!end.reusable) connection_->cut();
  co_return end;
}

asio::awaitable<void> NextHopSession::quit() {
  auto turn = Turn::ready;
  give_up_at_ = std::chrono::steady_clock::now() + policy_.patience.replies;
  machine_.quit();
  turn = co_await drive(nullptr);
  static_cast<void>(turn);
  co_await connection_->close_tls(farewell_limit);
  connection_->cut();
}

void NextHopSession::cut() {
  cut_ = true;
  if (lookup_) lookup_->cancel();
  connection_->cut();
}

asio::awaitable<NextHopSession::Turn> NextHopSession::drive(BodySource* body) {
  auto turn = Turn::failed;
  while (true) {
    auto action = machine_.next();
    if (std::holds_alternative<ClientMachine::Send>(action)) {
      co_await flush();
    } else if (const auto* input = std::get_if<ClientMachine::NeedInput>(&action)) {
      const auto waiting = input->waiting;
      co_await read(waiting);
    } else if (std::holds_alternative<ClientMachine::StartTls>(action)) {
      co_await secure();
    } else if (std::holds_alternative<ClientMachine::NeedBody>(action)) {
      co_await feed_body(body);
    } else if (const auto* failed = std::get_if<ClientMachine::Failed>(&action)) {
      failure_ = failed->words;
      break;
    } else {
      turn = std::holds_alternative<ClientMachine::Ready>(action) ? Turn::ready : Turn::transaction_done;
      break;
    }
  }
  co_return turn;
}

asio::awaitable<void> NextHopSession::flush() {
  const auto output = machine_.take_output();
  if (output.empty()) co_return;
  const auto error = co_await connection_->write(output, policy_.patience.block);
  if (error) machine_.disconnected("while sending: " + error.message());
  reply_due_ = {};
}

std::chrono::milliseconds NextHopSession::time_left(ClientMachine::Waiting waiting) {
  const auto now = std::chrono::steady_clock::now();
  if (reply_due_ == Instant{} || machine_.replies() != replies_seen_) {
    replies_seen_ = machine_.replies();
    reply_due_ = now + limit_of(waiting, policy_.patience);
  }
  const auto left = std::min(reply_due_, give_up_at_) - now;
  return std::max(std::chrono::duration_cast<std::chrono::milliseconds>(left), std::chrono::milliseconds{1});
}

asio::awaitable<void> NextHopSession::read(ClientMachine::Waiting waiting) {
  error_code error;
  const auto limit = time_left(waiting);
  const auto room = asio::buffer(buffer_);
  const auto size = co_await connection_->read_some(room, limit, error);
  if (error) {
    machine_.disconnected(connection_->timed_out() ? "no answer in time" : error.message());
  } else {
    machine_.receive({buffer_.data(), size});
  }
}

asio::awaitable<void> NextHopSession::feed_body(BodySource* body) {
  auto bytes = co_await body->next();
  if (!bytes) {
    // Not the next hop's fault: nothing must look like a message, so the connection ends before the end of
    // the data.
    connection_->cut();
    machine_.disconnected("message cannot be read: " + bytes.error().detail);
    co_return;
  }
  machine_.body(*bytes);
  if (body->finished()) machine_.body_end();
  // The body takes the time it takes, each block for itself.
  give_up_at_ = std::chrono::steady_clock::now() + patience_;
}

}  // namespace relay
