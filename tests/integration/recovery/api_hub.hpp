#pragma once

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <catch2/catch.hpp>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "recovery/api/api.hpp"
#include "tests/integration/recovery/fake_store.hpp"
#include "tests/integration/recovery/http_client.hpp"
#include "tests/integration/recovery/running_server.hpp"

namespace recovery::api_test {

namespace json = boost::json;

inline const std::string admin = "admin-token-0123456789";
inline const std::string reader = "reader-token-0123456789";
inline const std::string agent = "agent-token-0123456789";
inline const std::string node2 = "node2-token-0123456789";
inline const std::string foreign = "foreign-token-0123456789";
inline const std::string deliveries = "/v1/clusters/ccr1/storage-groups/sg1/deliveries";
inline const std::string resubmissions = "/v1/clusters/ccr1/storage-groups/sg1/resubmissions";
inline const std::string window = R"("from":"2026-01-31T00:00:00Z","until":"2026-02-01T00:00:00Z")";
inline const std::string some_id = "0192f5c4-7d1e-7a30-9f6b-3f1c2b7a9d11";

inline std::shared_ptr<const Tokens> tokens() {
  std::istringstream in{admin + " admin *\n" + reader + " read ccr1\n" + agent + " agent ccr1\n" + node2 +
                        " agent ccr1/node2\n" + foreign + " agent ccr2\n"};
  return std::make_shared<const Tokens>(read_tokens(in).value());
}

inline ApiSettings settings() {
  ApiSettings settings;
  settings.hub = "hub1.example.test";
  settings.version = "0.1.0";
  dumpster::ClusterDefinition ccr1;
  ccr1.name = "ccr1";
  ccr1.nodes = {"node1", "node2"};
  ccr1.storage_groups = {{"sg1", {}}};
  dumpster::ClusterDefinition ccr2;
  ccr2.name = "ccr2";
  ccr2.nodes = {"node1", "node2"};
  settings.clusters = {ccr1, ccr2};
  return settings;
}

/// Hub's side and a client.
class Hub {
 public:
  explicit Hub(std::size_t lines = 0, bool as_operator = false) {
    for (std::size_t i = 0; i < lines; ++i) {
      dumpster::Delivery line;
      line.delivery_id = dumpster::new_uuid(store.now);
      line.message = *dumpster::uuid_from("0192f5c4-7d1e-7a30-9f6b-3f1c2b7a9d12");
      line.message_id = "m" + std::to_string(i) + "@example.test";
      line.delivered_at = store.now - std::chrono::minutes{30} + std::chrono::milliseconds{i};
      line.node = "node1";
      line.attempt = 1;
      line.state = i % 10 == 0 ? dumpster::DeliveryState::in_doubt : dumpster::DeliveryState::delivered;
      line.recipients = {{0, "Alice+x@example.test", "alice@example.test"}};
      store.deliveries.push_back(std::move(line));
    }
    http::Router router;
    if (as_operator) {
      api.add_operator_routes(router);
    } else {
      api.add_routes(router, tokens);
    }
    server = std::make_unique<RunningServer>(std::move(router));
    client = std::make_unique<HttpClient>(server->port());
  }

  Answer get(const std::string& target, const std::string& token = admin) {
    return client->ask("GET", target, token);
  }
  Answer post(const std::string& target, const std::string& body, const std::string& token = admin,
              const std::string& fields = {}) {
    return client->ask("POST", target, token, body, fields);
  }

  FakeStore store;
  FakeRelay relay{store};
  Api api{store, relay, settings()};
  std::unique_ptr<RunningServer> server;
  std::unique_ptr<HttpClient> client;
};

inline json::object document(const Answer& answer) {
  INFO(answer.status << " " << answer.body);
  json::error_code error;
  const auto value = json::parse(answer.body, error);
  REQUIRE_FALSE(error);
  REQUIRE(value.is_object());
  return value.get_object();
}

inline std::vector<json::object> lines_of(const Answer& answer) {
  std::vector<json::object> lines;
  std::istringstream in{answer.body};
  for (std::string line; std::getline(in, line);)
    lines.push_back(json::parse(line).as_object());
  return lines;
}

inline std::string field_of(const Answer& answer) {
  const auto problem = document(answer);
  const auto* field = problem.if_contains("field");
  return field == nullptr ? std::string{} : std::string{field->as_string()};
}

}  // namespace recovery::api_test
