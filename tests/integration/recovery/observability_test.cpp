#include <catch2/catch.hpp>

#include <atomic>

#include "recovery/api/observability.hpp"
#include "tests/integration/recovery/http_client.hpp"
#include "tests/integration/recovery/running_server.hpp"

TEST_CASE("a hub that takes no mail is alive and not ready, and its metrics can be read") {
  std::atomic<bool> accepting{true};
  recovery::http::Router router;
  recovery::add_observability(
      router, {[] { return std::string{"relay_load_shedding 0\n"}; }, [&] { return accepting.load(); }});
  recovery::RunningServer server{std::move(router)};
  recovery::HttpClient client{server.port()};
  const auto metrics = client.ask("GET", "/metrics");
  CHECK(metrics.status == 200);
  CHECK(metrics.content_type == "text/plain; version=0.0.4; charset=utf-8");
  CHECK(metrics.body == "relay_load_shedding 0\n");
  CHECK(client.ask("GET", "/readyz").status == 200);
  accepting = false;
  CHECK(client.ask("GET", "/readyz").status == 503);
  CHECK(client.ask("GET", "/healthz").status == 200);
}
