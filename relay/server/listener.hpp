#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <memory>
#include <string>

#include "relay/net/io_threads.hpp"
#include "relay/net/network.hpp"
#include "relay/server/server_context.hpp"
#include "relay/smtp/server_machine.hpp"

namespace relay {

/// One port that mail comes in on. Accepts on the first io thread and spreads the connections over all of
/// them.
class Listener {
 public:
  /// Binds and listens at once; throws `boost::system::system_error` when the address cannot be had.
  /// `place`: of this listener among those of the settings.
  Listener(IoThreads& threads, ListenAddress address, std::size_t place, ServerContext& context);

  void start();
  /// No more connections. From any thread; returns at once.
  void stop();
  boost::asio::ip::tcp::endpoint local() const { return local_; }

 private:
  boost::asio::awaitable<void> accept();

  IoThreads& threads_;
  boost::asio::ip::tcp::acceptor acceptor_;
  boost::asio::ip::tcp::endpoint local_;
  std::size_t place_;
  ServerContext& context_;
};

}  // namespace relay
