#include "relay/delivery/next_hop_session.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace relay {

namespace asio = boost::asio;
using boost::system::error_code;
using smtp::ClientMachine;

namespace {

constexpr std::chrono::seconds connect_limit{30};
constexpr std::chrono::minutes block_limit{3};  // RFC 5321 4.5.3.2.5: a block of data

/// RFC 5321 4.5.3.2.
std::chrono::milliseconds limit_of(ClientMachine::Waiting waiting) {
  switch (waiting) {
    case ClientMachine::Waiting::data:
      return std::chrono::minutes{2};
    case ClientMachine::Waiting::data_end:
      return std::chrono::minutes{10};
    case ClientMachine::Waiting::quit:
      return std::chrono::seconds{5};  // all is said; nobody needs to wait for a farewell
    case ClientMachine::Waiting::greeting:
    case ClientMachine::Waiting::hello:
    case ClientMachine::Waiting::mail:
    case ClientMachine::Waiting::recipient:
      break;
  }
  return std::chrono::minutes{5};
}

asio::awaitable<std::vector<asio::ip::tcp::endpoint>> endpoints_of(NextHop hop, error_code& error) {
  std::vector<asio::ip::tcp::endpoint> endpoints;
  const auto literal = asio::ip::make_address(hop.host, error);
  if (!error) {
    endpoints.emplace_back(literal, hop.port);
    co_return endpoints;
  }
  auto executor = co_await asio::this_coro::executor;
  asio::ip::tcp::resolver resolver{executor};
  const auto service = std::to_string(hop.port);
  auto found =
      co_await resolver.async_resolve(hop.host, service, asio::redirect_error(asio::use_awaitable, error));
  for (const auto& entry : found)
    endpoints.push_back(entry.endpoint());
  co_return endpoints;
}

}  // namespace

NextHopSession::NextHopSession(asio::io_context& context, smtp::ClientSettings settings)
    : connection_(std::make_shared<Connection>(asio::ip::tcp::socket{context})),
      machine_(std::move(settings)),
      buffer_(8 * 1024) {}

asio::awaitable<std::string> NextHopSession::open(NextHop hop) {
  error_code error;
  auto endpoints = co_await endpoints_of(hop, error);
  if (error) co_return "cannot resolve " + hop.host + ": " + error.message();
  error = co_await connection_->connect(std::move(endpoints), connect_limit);
  if (error) co_return "cannot connect to " + to_string(hop) + ": " + error.message();
  if (cut_) co_return "broken off";
  const auto turn = co_await drive(nullptr);
  if (turn == Turn::ready) co_return std::string{};
  connection_->cut();
  co_return failure_;
}

asio::awaitable<TransactionEnd> NextHopSession::transact(smtp::ClientTransaction transaction,
                                                         BodySource& body) {
  TransactionEnd end;
  answered_ = false;
  machine_.begin(std::move(transaction));
  auto turn = co_await drive(&body);
  end.results = machine_.results();
  end.answered = answered_;
  // What the machine needs to be ready again (RSET) is part of this transaction, not of the next one's first
  // attempt.
  if (turn == Turn::transaction_done && !cut_) turn = co_await drive(nullptr);
  end.reusable = turn == Turn::ready && !cut_;
  if (!end.reusable) connection_->cut();
  co_return end;
}

asio::awaitable<void> NextHopSession::quit() {
  auto turn = Turn::ready;
  machine_.quit();
  turn = co_await drive(nullptr);
  static_cast<void>(turn);
  connection_->cut();
}

void NextHopSession::cut() {
  cut_ = true;
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
    } else if (std::holds_alternative<ClientMachine::NeedBody>(action)) {
      co_await feed_body(body);
    } else if (const auto* failed = std::get_if<ClientMachine::Failed>(&action)) {
      failure_ = failed->reason;
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
  const auto error = co_await connection_->write(output, block_limit);
  if (error) machine_.disconnected("connection lost while sending: " + error.message());
}

asio::awaitable<void> NextHopSession::read(ClientMachine::Waiting waiting) {
  error_code error;
  const auto limit = limit_of(waiting);
  const auto room = asio::buffer(buffer_);
  const auto size = co_await connection_->read_some(room, limit, error);
  if (error) {
    const char* what = connection_->timed_out() ? "no answer in time" : "connection lost";
    machine_.disconnected(std::string{what} + ": " + error.message());
    co_return;
  }
  answered_ = true;
  machine_.receive({buffer_.data(), size});
}

asio::awaitable<void> NextHopSession::feed_body(BodySource* body) {
  auto bytes = co_await body->next();
  if (!bytes) {
    // Not the next hop's fault: nothing must look like a message, so the connection ends before the end of
    // the data.
    connection_->cut();
    machine_.disconnected("message cannot be read: " + bytes.error().detail);
  } else {
    machine_.body(*bytes);
    if (body->finished()) machine_.body_end();
  }
}

}  // namespace relay
