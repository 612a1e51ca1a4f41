#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "relay/net/tls_context.hpp"

namespace relay {

/// One TCP connection, later perhaps under TLS; every wait on it has a deadline, made here and nowhere else.
/// Lives and dies on one thread.
///
/// A deadline that passes ends the operation under way with `timed_out`; the connection itself stays, for a
/// last word.
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  explicit Connection(boost::asio::ip::tcp::socket socket);
  ~Connection();

  /// Tries the endpoints one after the other, each with `limit`. The last error when none answers.
  boost::asio::awaitable<boost::system::error_code> connect(
      std::vector<boost::asio::ip::tcp::endpoint> endpoints, std::chrono::milliseconds limit);
  /// At least one byte, or an error; the end of the stream is `boost::asio::error::eof`.
  boost::asio::awaitable<std::size_t> read_some(boost::asio::mutable_buffer buffer,
                                                std::chrono::milliseconds limit,
                                                boost::system::error_code& error);
  /// All of `bytes`, which must live until the end.
  boost::asio::awaitable<boost::system::error_code> write(std::string_view bytes,
                                                          std::chrono::milliseconds limit);

  /// From here on everything is under TLS: reading, writing, all alike. What was read before must be thrown
  /// away by its owner: it came from anybody (RFC 3207 4.2). With an error the connection is cut: nothing can
  /// be said on it any more. Once at most, with no other operation under way.
  boost::asio::awaitable<boost::system::error_code> handshake_as_server(TlsContext context,
                                                                        std::chrono::milliseconds limit);
  /// The same. `host`: the name that the certificate must have, also sent as SNI; an IP address is looked for
  /// among the certificate's addresses and not sent (RFC 6066 3). Whether a certificate that is not trusted
  /// fails the handshake says `context`.
  boost::asio::awaitable<boost::system::error_code> handshake_as_client(TlsContext context, std::string host,
                                                                        std::chrono::milliseconds limit);
  /// The session's facts; null while there is no TLS.
  const TlsSession* tls() const;
  /// Why the handshake failed, for logs: of a certificate what is wrong with it.
  const std::string& tls_fault() const { return tls_fault_; }
  /// Says under TLS that nothing more will come (close_notify) and waits a moment for the same from the peer.
  /// Nothing happens without TLS. Only `cut` may follow.
  boost::asio::awaitable<void> close_tls(std::chrono::milliseconds limit);

  /// Ends the operation under way with `operation_aborted`. Like `cut` only from the connection's own thread.
  void interrupt();
  /// Ends the connection at once; operations under way fail.
  void cut();
  bool timed_out() const { return timed_out_; }
  boost::asio::ip::tcp::endpoint remote() const { return remote_; }
  boost::asio::any_io_executor executor() { return socket_.get_executor(); }

 private:
  void begin_wait(std::chrono::milliseconds limit);
  void end_wait(boost::system::error_code& error);
  void arm();
  struct Tls;
  boost::asio::awaitable<boost::system::error_code> handshake(std::unique_ptr<Tls> tls, bool as_server,
                                                              std::chrono::milliseconds limit);

  boost::asio::ip::tcp::socket socket_;
  boost::asio::ip::tcp::endpoint remote_;
  std::unique_ptr<Tls> tls_;  // over the same socket; goes before it
  std::string tls_fault_;
  // One timer for all waits. It is armed seldom: an operation only moves the deadline, and the timer looks at
  // it when it fires.
  boost::asio::steady_timer timer_;
  std::chrono::steady_clock::time_point deadline_{};
  bool waiting_ = false;
  bool armed_ = false;
  bool timed_out_ = false;
};

}  // namespace relay
