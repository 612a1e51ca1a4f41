#include "relay/server/incoming_message.hpp"

#include "dumpster/await.hpp"

namespace relay {

namespace asio = boost::asio;
using dumpster::Done;
using dumpster::Result;

IncomingMessage::IncomingMessage(dumpster::Store& store, dumpster::Message message,
                                 std::string received_field)
    : store_(store), message_(std::move(message)), pending_(std::move(received_field)) {
  message_.size = pending_.size();
}

IncomingMessage::~IncomingMessage() {
  if (!accepted_ && message_.chunks > 0) store_.abandon_body(message_.key);
}

void IncomingMessage::add(std::string_view bytes) {
  scanner_.feed(bytes);
  pending_ += bytes;
  message_.size += bytes.size();
}

asio::awaitable<Result<Done>> IncomingMessage::append(std::string chunk) {
  const auto number = message_.chunks++;
  auto write = [this, number, &chunk](dumpster::Completion<Done> done) {
    store_.append_body(message_.key, number, std::move(chunk), std::move(done));
  };
  auto written = co_await dumpster::await_result<Done>(write);
  co_return written;
}

asio::awaitable<Result<Done>> IncomingMessage::write_full_chunks() {
  Result<Done> written{Done{}};
  while (chunk_is_full()) {
    auto chunk = pending_.substr(0, dumpster::body_chunk_size);
    pending_.erase(0, dumpster::body_chunk_size);
    written = co_await append(std::move(chunk));
    if (!written) break;
  }
  co_return written;
}

asio::awaitable<Result<Done>> IncomingMessage::accept(FreshBodies& bodies) {
  Result<Done> written{Done{}};
  message_.message_id = scanner_.message_id();
  dumpster::NewMessage made;
  if (message_.chunks == 0) {
    message_.chunks = 1;
    fresh_body_ = bodies.keep(pending_);
    made.body = std::move(pending_);
  } else if (!pending_.empty()) {
    written = co_await append(std::move(pending_));
  }
  pending_.clear();
  if (!written) co_return written;
  made.message = message_;
  made.origin = origin_;
  auto accept_all = [this, &made](dumpster::Completion<Done> done) {
    store_.accept(std::move(made), std::move(done));
  };
  written = co_await dumpster::await_result<Done>(accept_all);
  accepted_ = written.has_value();
  co_return written;
}

}  // namespace relay
