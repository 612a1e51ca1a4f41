#include "relay/net/connection.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

namespace relay {

namespace asio = boost::asio;
using boost::system::error_code;

Connection::Connection(asio::ip::tcp::socket socket)
    : socket_(std::move(socket)), timer_(socket_.get_executor()) {
  error_code ignored;
  remote_ = socket_.remote_endpoint(ignored);
}

void Connection::begin_wait(std::chrono::milliseconds limit) {
  deadline_ = std::chrono::steady_clock::now() + limit;
  waiting_ = true;
  timed_out_ = false;
  if (!armed_ || timer_.expiry() > deadline_) arm();
}

void Connection::end_wait(error_code& error) {
  waiting_ = false;
  if (timed_out_) error = asio::error::timed_out;
}

void Connection::arm() {
  armed_ = true;
  timer_.expires_at(deadline_);
  timer_.async_wait([weak = weak_from_this()](error_code error) {
    const auto self = weak.lock();
    if (!self || error == asio::error::operation_aborted) return;
    self->armed_ = false;
    if (!self->waiting_) return;
    if (std::chrono::steady_clock::now() < self->deadline_) {
      self->arm();
      return;
    }
    self->timed_out_ = true;
    self->interrupt();
  });
}

asio::awaitable<error_code> Connection::connect(std::vector<asio::ip::tcp::endpoint> endpoints,
                                                std::chrono::milliseconds limit) {
  error_code error = asio::error::host_not_found;
  for (const auto& endpoint : endpoints) {
    error_code ignored;
    socket_.close(ignored);
    begin_wait(limit);
    co_await socket_.async_connect(endpoint, asio::redirect_error(asio::use_awaitable, error));
    end_wait(error);
    if (!error) {
      remote_ = endpoint;
      socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
      break;
    }
  }
  co_return error;
}

asio::awaitable<std::size_t> Connection::read_some(asio::mutable_buffer buffer,
                                                   std::chrono::milliseconds limit, error_code& error) {
  std::size_t size = 0;
  begin_wait(limit);
  size = co_await socket_.async_read_some(buffer, asio::redirect_error(asio::use_awaitable, error));
  end_wait(error);
  co_return size;
}

asio::awaitable<error_code> Connection::write(std::string_view bytes, std::chrono::milliseconds limit) {
  error_code error;
  const auto buffer = asio::buffer(bytes.data(), bytes.size());
  begin_wait(limit);
  co_await asio::async_write(socket_, buffer, asio::redirect_error(asio::use_awaitable, error));
  end_wait(error);
  co_return error;
}

void Connection::interrupt() {
  error_code ignored;
  socket_.cancel(ignored);
}

void Connection::cut() {
  error_code ignored;
  socket_.shutdown(asio::ip::tcp::socket::shutdown_both, ignored);
  socket_.close(ignored);
}

}  // namespace relay
