#include "tests/integration/recovery/api_hub.hpp"

using namespace recovery::api_test;

TEST_CASE("the same key is the same resubmission, with another body a conflict") {
  Hub hub;
  const auto first = hub.post(resubmissions, "{\"key\":\"k1\"," + window + "}");
  CHECK(first.status == 202);
  CHECK(document(first).at("matched") == 7);
  CHECK(hub.relay.reloaded == 1);
  const auto again = hub.post(resubmissions, "{\"key\":\"k1\"," + window + "}");
  CHECK(again.status == 202);
  CHECK(document(again).at("id") == document(first).at("id"));
  const auto other =
      hub.post(resubmissions, "{\"key\":\"k1\",\"recipient\":\"a@example.test\"," + window + "}");
  CHECK(other.status == 409);
  CHECK(document(other).at("term") == 0);
}

TEST_CASE("an agent names node, term and attempt of what it resubmits") {
  Hub hub;
  const auto body = [](const std::string& more, const std::string& attempt) {
    return "{\"key\":\"k\"," + window + more + ",\"deliveries\":[{\"delivery_id\":\"" + some_id + "\"" +
           attempt + "}]}";
  };
  CHECK(field_of(hub.post(resubmissions, body("", ""), agent)) == "node");
  CHECK(field_of(hub.post(resubmissions, body(R"(,"node":"node1")", ""), agent)) == "term");
  CHECK(field_of(hub.post(resubmissions, body(R"(,"node":"node1","term":0)", ""), agent)) ==
        "deliveries[0].attempt");
  CHECK(hub.post(resubmissions, body(R"(,"node":"node1","term":0)", R"(,"attempt":1)"), node2).status == 403);
  const auto stale = hub.post(resubmissions, body(R"(,"node":"node2","term":0)", R"(,"attempt":1)"), agent);
  CHECK(stale.status == 409);
  CHECK(document(stale).at("active") == "node1");
  CHECK(hub.post(resubmissions, body(R"(,"node":"node1","term":0)", R"(,"attempt":1,"outcome":"present")"),
                 agent)
            .status == 202);
  const auto& request = hub.store.requests.at("k").first;
  CHECK(request.by_agent);
  CHECK(request.lifetime == std::chrono::hours{24});
  CHECK(request.items->at(0).outcome == dumpster::ResubmissionItem::Outcome::present);
  CHECK(hub.post(resubmissions, body("", ""), admin).status == 409);
}

TEST_CASE("a resubmission can be watched and cancelled") {
  Hub hub;
  const auto id =
      std::string{document(hub.post(resubmissions, "{\"key\":\"k\"," + window + "}")).at("id").as_string()};
  const auto shown = document(hub.get("/v1/resubmissions/" + id, reader));
  CHECK(shown.at("state") == "running");
  CHECK(shown.at("storage_group") == "ccr1/sg1");
  CHECK(shown.at("created_at") == "2026-01-31T12:00:00.000000Z");
  const auto cancelled = hub.client->ask("DELETE", "/v1/resubmissions/" + id, admin);
  CHECK(cancelled.status == 200);
  CHECK(document(cancelled).at("state") == "cancelled");
  CHECK(hub.relay.reloaded == 2);
}

TEST_CASE("the active node's agent reports what is absent and that it is done") {
  Hub hub;
  const std::string path = "/v1/clusters/ccr1/storage-groups/sg1/absent";
  const auto body = [](const std::string& node) {
    return "{\"node\":\"" + node + "\",\"term\":0,\"deliveries\":[{\"delivery_id\":\"" + some_id +
           "\",\"recipients\":[\"alice@example.test\"]}]}";
  };
  CHECK(hub.post(path, body("node2"), agent).status == 409);
  CHECK(hub.post(path, body("node1"), node2).status == 403);
  CHECK(hub.post(path, body("node1"), agent).status == 200);
  REQUIRE(hub.store.absent);
  CHECK(hub.store.absent->items.at(0).recipients.at(0) == "alice@example.test");
  CHECK(field_of(hub.post(path, R"({"node":"node1","term":0})", agent)) == "deliveries");
  CHECK(hub.post("/v1/clusters/ccr1/recovered", R"({"node":"node2","term":0})", agent).status == 409);
  CHECK(hub.post("/v1/clusters/ccr1/recovered", R"({"node":"node1","term":0})", agent).status == 200);
}
