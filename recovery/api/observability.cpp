#include "recovery/api/observability.hpp"

#include <memory>
#include <utility>

namespace recovery {
namespace {

using Answer = boost::asio::awaitable<void>;

http::Response plain(int status, std::string text) {
  http::Response response;
  response.status = status;
  response.content_type = "text/plain; charset=utf-8";
  response.body = std::move(text);
  return response;
}

Answer metrics(std::shared_ptr<const Observed> observed, http::Responder& out) {
  auto response = plain(200, observed->metrics());
  response.content_type = "text/plain; version=0.0.4; charset=utf-8";
  co_await out.send(std::move(response));
}

Answer health(http::Responder& out) {
  auto response = plain(200, "alive\n");
  co_await out.send(std::move(response));
}

Answer readiness(std::shared_ptr<const Observed> observed, http::Responder& out) {
  auto response = observed->accepting() ? plain(200, "accepting mail\n") : plain(503, "not accepting mail\n");
  co_await out.send(std::move(response));
}

}  // namespace

void add_observability(http::Router& router, Observed observed) {
  const auto shared = std::make_shared<const Observed>(std::move(observed));
  router.add("GET", "/metrics",
             [shared](http::Request /*request*/, http::Responder& out) { return metrics(shared, out); });
  router.add("GET", "/healthz", [](http::Request /*request*/, http::Responder& out) { return health(out); });
  router.add("GET", "/readyz",
             [shared](http::Request /*request*/, http::Responder& out) { return readiness(shared, out); });
}

}  // namespace recovery
