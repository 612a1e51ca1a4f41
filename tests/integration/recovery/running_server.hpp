#pragma once

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <exception>
#include <future>
#include <memory>
#include <thread>
#include <utility>

#include "recovery/http/server.hpp"

namespace recovery {

/// A server on a thread of its own and a free port of loopback.
class RunningServer {
 public:
  explicit RunningServer(http::Router router, http::ServerSettings settings = {})
      : server_(std::make_unique<http::Server>(context_.get_executor(),
                                               std::make_shared<const http::Router>(std::move(router)),
                                               std::move(settings))) {
    port_ = server_->listen_tcp("127.0.0.1:0").value();
    thread_ = std::thread{[this] { context_.run(); }};
  }
  ~RunningServer() {
    stop(std::chrono::milliseconds{0});
    guard_.reset();
    context_.stop();
    thread_.join();
    server_.reset();
  }
  RunningServer(const RunningServer&) = delete;
  RunningServer& operator=(const RunningServer&) = delete;

  std::uint16_t port() const { return port_; }
  boost::asio::io_context& context() { return context_; }
  http::Server& server() { return *server_; }

  /// Stops accepting and returns when the server has stopped.
  void stop(std::chrono::milliseconds bound) {
    std::promise<void> stopped;
    auto future = stopped.get_future();
    boost::asio::co_spawn(context_, server_->stop(bound),
                          [&stopped](std::exception_ptr) { stopped.set_value(); });
    future.wait();
  }

 private:
  boost::asio::io_context context_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> guard_{context_.get_executor()};
  std::unique_ptr<http::Server> server_;
  std::uint16_t port_ = 0;
  std::thread thread_;
};

}  // namespace recovery
