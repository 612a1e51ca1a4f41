#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/ssl/context.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "recovery/http/large_bodies.hpp"
#include "recovery/http/router.hpp"
#include "recovery/http/server.hpp"

namespace recovery::http {

using Socket = boost::asio::generic::stream_protocol::socket;

/// One connection and its requests, one after the other.
class Session {
 public:
  virtual ~Session() = default;
  /// Serves until the connection is over. Never throws.
  virtual boost::asio::awaitable<void> run() = 0;
  /// The request under way is the last one; without one the connection is closed.
  virtual void finish() = 0;
  /// Since when it has been waiting for a request to be whole; nothing while one is with its handler.
  using TimePoint = std::chrono::steady_clock::time_point;
  virtual std::optional<TimePoint> waiting_since() const = 0;
  /// Closes at once.
  virtual void cut() = 0;
};

/// `tls`: null for plain text. The references must outlive the session.
std::shared_ptr<Session> make_session(Socket socket, std::shared_ptr<boost::asio::ssl::context> tls,
                                      std::string peer, const Router& router, const ServerSettings& settings,
                                      LargeBodies& bodies);

}  // namespace recovery::http
