#include "recovery/agent/metrics_server.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <thread>
#include <utility>

#include "recovery/http/server.hpp"

namespace recovery::agent {
namespace {

using Answer = boost::asio::awaitable<void>;
using Text = std::shared_ptr<const std::function<std::string()>>;

http::Response plain(std::string content_type, std::string body) {
  http::Response response;
  response.content_type = std::move(content_type);
  response.body = std::move(body);
  return response;
}

Answer metrics(Text text, http::Responder& out) {
  auto response = plain("text/plain; version=0.0.4; charset=utf-8", (*text)());
  co_await out.send(std::move(response));
}

Answer health(http::Responder& out) {
  auto response = plain("text/plain; charset=utf-8", "alive\n");
  co_await out.send(std::move(response));
}

std::shared_ptr<const http::Router> router_of(std::function<std::string()> text) {
  const auto shared = std::make_shared<const std::function<std::string()>>(std::move(text));
  auto router = std::make_shared<http::Router>();
  router->add("GET", "/metrics",
              [shared](http::Request /*request*/, http::Responder& out) { return metrics(shared, out); });
  router->add("GET", "/healthz", [](http::Request /*request*/, http::Responder& out) { return health(out); });
  return router;
}

}  // namespace

struct MetricsServer::Running {
  explicit Running(std::function<std::string()> text)
      : work(context.get_executor()), server(context.get_executor(), router_of(std::move(text))) {}
  ~Running() {
    context.stop();
    if (thread.joinable()) thread.join();
  }

  boost::asio::io_context context{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work;
  http::Server server;
  std::thread thread;
};

MetricsServer::MetricsServer() = default;
MetricsServer::~MetricsServer() = default;

dumpster::Result<void> MetricsServer::start(const std::string& address, std::function<std::string()> text) {
  auto running = std::make_unique<Running>(std::move(text));
  const auto port = running->server.listen_tcp(address);
  if (!port) return port.error();
  running->thread = std::thread{[&context = running->context] { context.run(); }};
  running_ = std::move(running);
  return {};
}

}  // namespace recovery::agent
