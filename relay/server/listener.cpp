#include "relay/server/listener.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "metrics/log.hpp"
#include "relay/server/session.hpp"

namespace relay {

namespace asio = boost::asio;

namespace {

constexpr std::chrono::milliseconds pause_after_failure{100};  // no file descriptors left: others will end

void log_end_of_session(std::exception_ptr failure) {
  if (!failure) return;
  try {
    std::rethrow_exception(failure);
  } catch (const std::exception& exception) {
    metrics::log_error("session failed", {{"reason", exception.what()}});
  }
}

}  // namespace

Listener::Listener(IoThreads& threads, ListenAddress address, std::size_t place, ServerContext& context)
    : threads_(threads), acceptor_(threads.first()), place_(place), context_(context) {
  const asio::ip::tcp::endpoint endpoint{address.address, address.port};
  acceptor_.open(endpoint.protocol());
  acceptor_.set_option(asio::socket_base::reuse_address(true));
  acceptor_.bind(endpoint);
  acceptor_.listen();
  local_ = acceptor_.local_endpoint();
}

void Listener::start() {
  auto loop = [this]() -> asio::awaitable<void> {
    const auto* self = this;
    static_cast<void>(self);
    co_await accept();
  };
  asio::co_spawn(threads_.first(), std::move(loop), asio::detached);
}

void Listener::stop() {
  asio::post(threads_.first(), [this] {
    boost::system::error_code ignored;
    acceptor_.close(ignored);
  });
}

asio::awaitable<void> Listener::accept() {
  boost::system::error_code error;
  while (acceptor_.is_open()) {
    auto& context = threads_.next();
    auto socket = co_await acceptor_.async_accept(context, asio::redirect_error(asio::use_awaitable, error));
    if (error == asio::error::operation_aborted) break;
    if (error) {
      metrics::log_warning("connection not accepted", {{"reason", error.message()}});
      asio::steady_timer pause{threads_.first(), pause_after_failure};
      co_await pause.async_wait(asio::redirect_error(asio::use_awaitable, error));
      continue;
    }
    socket.set_option(asio::ip::tcp::no_delay(true), error);
    auto connection = std::make_shared<Connection>(std::move(socket));
    auto session = std::make_shared<Session>(std::move(connection), place_, context_);
    auto run = [session]() -> asio::awaitable<void> {
      const auto kept = session;
      co_await kept->run();
    };
    asio::co_spawn(context, std::move(run), log_end_of_session);
  }
}

}  // namespace relay
