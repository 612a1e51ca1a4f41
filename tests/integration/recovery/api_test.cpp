#include <fstream>

#include "tests/integration/recovery/api_hub.hpp"

using namespace recovery::api_test;

TEST_CASE("without a known token nothing is said, and a challenge is given") {
  Hub hub;
  const auto none = hub.get("/v1/hub", "");
  CHECK(none.status == 401);
  CHECK(none.challenge == "Bearer realm=\"dumpster\"");
  CHECK(none.content_type == "application/problem+json");
  const auto unknown = hub.get("/v1/hub", "unknown-token-0123456789");
  CHECK(unknown.status == 401);
  CHECK(unknown.challenge == "Bearer realm=\"dumpster\", error=\"invalid_token\"");
  CHECK(hub.client->ask("GET", "/v1/hub", {}, {}, "Authorization: Basic " + admin + "\r\n").status == 401);
  CHECK(hub.client->ask("GET", "/v1/hub", {}, {}, "Authorization: bearer  " + admin + "\r\n").status == 200);
}

TEST_CASE("a role does only what belongs to it") {
  Hub hub{1};
  const auto id = to_string(hub.store.deliveries[0].delivery_id);
  CHECK(hub.get(deliveries, reader).status == 200);
  CHECK(hub.get(deliveries + "/" + id + "/message", reader).status == 403);
  CHECK(hub.get(deliveries + "/" + id + "/message", agent).status == 403);
  CHECK(hub.post(resubmissions, "{}", reader).status == 403);
  CHECK(hub.post("/v1/clusters/ccr1/activations", "{}", reader).status == 403);
  CHECK(hub.post("/v1/clusters/ccr1/recovered", "{}", reader).status == 403);
  CHECK(hub.client->ask("DELETE", "/v1/resubmissions/" + some_id, reader).status == 403);
  CHECK(hub.client->ask("DELETE", "/v1/resubmissions/" + some_id, agent).status == 403);
  CHECK(hub.post("/v1/clusters/ccr1/hold", R"({"for":"10s"})", agent).status == 403);
}

TEST_CASE("a token is good for its own cluster only") {
  Hub hub;
  CHECK(hub.get("/v1/clusters/ccr1", foreign).status == 403);
  CHECK(hub.get(deliveries, foreign).status == 403);
  CHECK(hub.get("/v1/clusters/ccr2", reader).status == 403);
  CHECK(document(hub.get("/v1/hub", reader))["clusters"] == json::value{"ccr1"});
  const auto id =
      std::string{document(hub.post(resubmissions, "{\"key\":\"k\"," + window + "}"))["id"].as_string()};
  CHECK(hub.get("/v1/resubmissions/" + id, foreign).status == 403);
  CHECK(hub.get("/v1/resubmissions", foreign).body.empty());
  CHECK(lines_of(hub.get("/v1/resubmissions", agent)).size() == 1);
}

TEST_CASE("what is not there is 404") {
  Hub hub;
  CHECK(hub.get("/v1").status == 404);
  CHECK(hub.get("/v1/clusters/ccr9").status == 404);
  CHECK(hub.get("/v1/clusters/ccr1/storage-groups/sg9/deliveries").status == 404);
  CHECK(hub.get(deliveries + "/" + some_id + "/message").status == 404);
  CHECK(hub.get(deliveries + "/nonsense/message").status == 404);
  CHECK(hub.get("/v1/resubmissions/" + some_id).status == 404);
  CHECK(hub.get("/v1/status").status == 404);
}

TEST_CASE("the hub says who it is and how far its store is") {
  Hub hub;
  const auto answer = document(hub.get("/v1/hub"));
  CHECK(answer.at("hub") == "hub1.example.test");
  CHECK(answer.at("version") == "0.1.0");
  CHECK(answer.at("now") == "2026-01-31T12:00:00.000000Z");
  CHECK(answer.at("store_id") == "0192f5c4-7d1e-7a30-9f6b-3f1c2b7a9d10");
  CHECK(answer.at("store_created") == "2026-01-31T10:00:00.000000Z");
  CHECK(answer.at("sequence") == 42);
  CHECK(answer.at("clusters").as_array().size() == 2);
}

TEST_CASE("a cluster is shown with its groups") {
  Hub hub;
  hub.store.group.messages = 3;
  hub.store.group.oldest = hub.store.now;
  const auto answer = document(hub.get("/v1/clusters/ccr1"));
  CHECK(answer.at("cluster") == "ccr1");
  CHECK(answer.at("active") == "node1");
  CHECK(answer.at("term") == 0);
  CHECK(answer.at("kind") == "lossless");
  CHECK(answer.at("held") == false);
  CHECK(answer.at("agent_seen").is_null());
  CHECK(answer.at("nodes") == json::array({"node1", "node2"}));
  const auto& group = answer.at("storage_groups").as_array().at(0).as_object();
  CHECK(group.at("name") == "sg1");
  CHECK(group.at("messages") == 3);
  CHECK(group.at("bytes") == 0);
  CHECK(group.at("oldest") == "2026-01-31T12:00:00.000000Z");
  CHECK(group.at("newest").is_null());
  CHECK(group.at("covered_from") == "2026-01-31T11:00:00.000000Z");
  CHECK(group.at("in_doubt") == 0);
  hub.store.state.agent_seen = {{"node1", hub.store.now}, {"node2", {}}};
  CHECK(document(hub.get("/v1/clusters/ccr1")).at("agent_seen") == "2026-01-31T12:00:00.000000Z");
}

TEST_CASE("an activation needs a higher term, and a conflict says what stands") {
  Hub hub;
  const std::string path = "/v1/clusters/ccr1/activations";
  const auto done = hub.post(path, R"({"node":"node2","term":3,"kind":"lossy"})", agent);
  CHECK(done.status == 200);
  CHECK(document(done).at("active") == "node2");
  CHECK(document(done).at("term") == 3);
  CHECK(document(done).at("now") == "2026-01-31T12:00:00.000000Z");
  CHECK(hub.store.by_agent);
  CHECK(hub.post(path, R"({"node":"node2","term":3,"kind":"lossy"})", agent).status == 200);
  const auto late = hub.post(path, R"({"node":"node1","term":2,"kind":"lossy"})", agent);
  CHECK(late.status == 409);
  CHECK(late.content_type == "application/problem+json");
  CHECK(document(late).at("active") == "node2");
  CHECK(document(late).at("term") == 3);
}

TEST_CASE(
    "an agent may not jump over more than a thousand terms, nor activate a node that is not its token's") {
  Hub hub;
  const std::string path = "/v1/clusters/ccr1/activations";
  CHECK(hub.post(path, R"({"node":"node2","term":1001,"kind":"lossy"})", agent).status == 403);
  CHECK(hub.post(path, R"({"node":"node2","term":9223372036854775807,"kind":"lossy"})", agent).status == 403);
  CHECK(hub.store.state.term == 0);
  CHECK(hub.post(path, R"({"node":"node1","term":1,"kind":"lossy"})", node2).status == 403);
  CHECK(hub.post(path, R"({"node":"node2","term":1000,"kind":"lossy"})", node2).status == 200);
  CHECK(hub.post(path, R"({"node":"node1","term":5000,"kind":"lossless"})", admin).status == 200);
}

TEST_CASE("a body that is not what the call takes is refused with the member's name") {
  Hub hub;
  const std::string path = "/v1/clusters/ccr1/activations";
  CHECK(hub.post(path, "{").status == 400);
  CHECK(hub.post(path, "[]").status == 400);
  CHECK(hub.client->ask("POST", path, admin).status == 400);
  CHECK(field_of(hub.post(path, R"({"term":1,"kind":"lossy"})")) == "node");
  CHECK(field_of(hub.post(path, R"({"node":"node1","term":"1","kind":"lossy"})")) == "term");
  CHECK(field_of(hub.post(path, R"({"node":"node1","term":-1,"kind":"lossy"})")) == "term");
  CHECK(field_of(hub.post(path, R"({"node":"node1","term":1,"kind":"total"})")) == "kind");
  CHECK(field_of(hub.post(path, R"({"node":"node1","term":1,"kind":"lossy","x":1})")) == "x");
  CHECK(field_of(hub.post(path, R"({"node":"node9","term":1,"kind":"lossy"})")) == "node");
  CHECK(hub.store.state.term == 0);
}

TEST_CASE("an agent is heard under its node, which its token may fix") {
  Hub hub;
  CHECK(hub.client->ask("GET", "/v1/clusters/ccr1", agent, {}, "Dumpster-Node: node1\r\n").status == 200);
  CHECK(hub.store.contacts == std::set<std::pair<std::string, std::string>>{{"ccr1", "node1"}});
  CHECK(hub.relay.heard == hub.store.contacts);
  CHECK(hub.client->ask("GET", "/v1/clusters/ccr1", node2, {}, "Dumpster-Node: node1\r\n").status == 403);
  CHECK(hub.client->ask("GET", "/v1/clusters/ccr1", agent, {}, "Dumpster-Node: node9\r\n").status == 400);
  CHECK(hub.client->ask("GET", "/v1/clusters/ccr1", admin, {}, "Dumpster-Node: node2\r\n").status == 200);
  CHECK(hub.store.contacts.size() == 1);
  CHECK(hub.get("/v1/hub", node2).status == 200);
  CHECK(hub.store.contacts.contains({"ccr1", "node2"}));
}

TEST_CASE("an agent that leaves its node empty is answered, and heard for no node") {
  Hub hub;
  CHECK(hub.client->ask("GET", "/v1/clusters/ccr1", node2, {}, "Dumpster-Node:\r\n").status == 200);
  CHECK(hub.client->ask("GET", "/v1/clusters/ccr1", agent, {}, "Dumpster-Node:\r\n").status == 200);
  CHECK(hub.store.contacts.empty());
}

TEST_CASE("a listing of many lines streams to its last line") {
  Hub hub{5000};
  const auto answer = hub.get(deliveries, agent);
  CHECK(answer.status == 200);
  CHECK(answer.content_type == "application/x-ndjson");
  CHECK(answer.chunked);
  const auto lines = lines_of(answer);
  REQUIRE(lines.size() == 5001);
  CHECK(hub.store.pages == 25);
  const auto& first = lines.front();
  CHECK(first.at("message_id") == "m0@example.test");
  CHECK(first.at("state") == "in_doubt");
  CHECK(first.at("attempt") == 1);
  CHECK(first.at("delivery_id").as_string() == to_string(hub.store.deliveries[0].delivery_id));
  CHECK(first.at("delivered_at") == "2026-01-31T11:30:00.000000Z");
  CHECK(first.at("recipients").as_array().at(0).as_object().at("mailbox") == "alice@example.test");
  CHECK(lines[4999].at("message_id") == "m4999@example.test");
  const auto& last = lines.back();
  CHECK(last.at("count") == 5000);
  CHECK(last.at("complete") == false);
  CHECK(last.at("covered_from") == "2026-01-31T11:00:00.000000Z");
  CHECK(last.at("store_id") == "0192f5c4-7d1e-7a30-9f6b-3f1c2b7a9d10");
  CHECK(last.at("store_created") == "2026-01-31T10:00:00.000000Z");
  CHECK(last.at("now") == "2026-01-31T12:00:00.000000Z");
}

TEST_CASE("a listing keeps to its window and state") {
  Hub hub{100};
  const auto part =
      lines_of(hub.get(deliveries + "?from=2026-01-31T12:30:00.010%2B01:00&until=2026-01-31T11:30:00.020Z"));
  REQUIRE(part.size() == 11);
  CHECK(part[0].at("message_id") == "m10@example.test");
  CHECK(part.back().at("complete") == true);
  const auto doubts = lines_of(hub.get(deliveries + "?state=in_doubt&until=2030-01-01T00:00:00Z"));
  CHECK(doubts.size() == 11);
  CHECK(doubts.back().at("count") == 10);
  const auto later = lines_of(hub.get(deliveries + "?from=2030-01-01T00:00:00Z"));
  REQUIRE(later.size() == 1);
  CHECK(later[0].at("count") == 0);
  for (const char* query :
       {"?from=yesterday", "?state=lost", "?limit=3", "?from=2026-01-31T11:30:00Z&until=2026-01-31T11:00:00Z",
        "?state=failed&state=failed"}) {
    CAPTURE(query);
    CHECK(hub.get(deliveries + query).status == 400);
  }
}

TEST_CASE("the administrator reads a retained message byte for byte") {
  Hub hub{1};
  auto& line = hub.store.deliveries[0];
  line.size = dumpster::body_chunk_size + 5;
  hub.store.bodies[{line.message, 0}] = std::string(dumpster::body_chunk_size, 'a');
  hub.store.bodies[{line.message, 1}] = "\r\n.\r\n";
  const auto target = deliveries + "/" + to_string(line.delivery_id) + "/message";
  const auto answer = hub.get(target);
  CHECK(answer.status == 200);
  CHECK(answer.content_type == "message/rfc822");
  CHECK(answer.body == std::string(dumpster::body_chunk_size, 'a') + "\r\n.\r\n");
  hub.store.bodies.erase({line.message, 1});
  CHECK_THROWS(hub.get(target));  // cut: what came is not whole
}

TEST_CASE("a passive node's agent reports what is replicated, for its own node alone") {
  Hub hub;
  const auto target = "/v1/clusters/ccr1/storage-groups/sg1/replicated";
  const auto put = [&](const std::string& token, const std::string& body) {
    return hub.client->ask("PUT", target, token, body);
  };
  const auto answer = put(agent, R"({"node":"node2","through":"2026-01-31T00:00:00Z"})");
  CHECK(answer.status == 200);
  CHECK(document(answer).at("node") == "node2");
  CHECK(document(answer).at("through") == "2026-01-31T00:00:00.000000Z");
  CHECK(put(agent, R"({"node":"node3","through":"2026-01-31T00:00:00Z"})").status == 400);
  CHECK(put(node2, R"({"node":"node1","through":"2026-01-31T00:00:00Z"})").status == 403);
  CHECK(put(reader, R"({"node":"node2","through":"2026-01-31T00:00:00Z"})").status == 403);
  CHECK(put(agent, R"({"node":"node2"})").status == 400);
  CHECK(put(agent, R"({"node":"node2","through":"yesterday"})").status == 400);
}

TEST_CASE("the operator needs no token and sees the hub's state") {
  Hub hub{0, true};
  const auto status = document(hub.get("/v1/status", ""));
  CHECK(status.at("hub") == "hub1.example.test");
  CHECK(status.at("accepting") == true);
  CHECK(status.at("writable") == true);
  CHECK(status.at("spool").as_object().at("messages") == 3);
  const auto& hop = status.at("destinations").as_array().at(0).as_object();
  CHECK(hop.at("route") == "ccr1/sg1");
  CHECK(hop.at("last_error") == "451 busy \xef\xbf\xbd");
  CHECK(status.at("clusters").as_array().size() == 2);
  CHECK(status.at("resubmissions").as_array().empty());
  CHECK(hub.post(resubmissions, "{\"key\":\"k\"," + window + "}", "").status == 202);
  CHECK(document(hub.get("/v1/status", "")).at("resubmissions").as_array().size() == 1);
}

TEST_CASE("a hold takes a time in words or in seconds and says what is still under way") {
  Hub hub;
  const auto held = document(hub.post("/v1/clusters/ccr1/hold", R"({"for":"90s"})"));
  CHECK(held.at("held") == json::value(true));
  CHECK(held.at("in_flight") == json::value(3));
  CHECK(hub.relay.held_for == std::chrono::seconds{90});
  CHECK(hub.post("/v1/clusters/ccr1/hold", R"({"for":30})").status == 200);
  CHECK(hub.relay.held_for == std::chrono::seconds{30});
  const auto released = document(hub.post("/v1/clusters/ccr1/release", "{}"));
  CHECK(released.at("held") == json::value(false));
  CHECK(released.at("held_until").is_null());
  CHECK_FALSE(hub.relay.held_for);
  CHECK(hub.post("/v1/clusters/ccr1/release", "").status == 200);
}

TEST_CASE("a hold without a time, for no time or for more than a day changes nothing") {
  Hub hub;
  for (const auto* body : {"", "{}", R"({"for":"soon"})", R"({"for":0})", R"({"for":"0s"})", R"({"for":-5})",
                           R"({"for":"25h"})", R"({"for":1e9})", R"({"for":"9s","until":"x"})"}) {
    INFO(body);
    CHECK(hub.post("/v1/clusters/ccr1/hold", body).status == 400);
  }
  CHECK_FALSE(hub.relay.held_for);
  CHECK(hub.post("/v1/clusters/ccr1/release", R"({"x":1})").status == 400);
  CHECK(hub.post("/v1/clusters/none/hold", R"({"for":"9s"})").status == 404);
}

TEST_CASE("a listing of hundreds of thousands of lines is never in memory") {
  Hub hub;
  hub.store.made_up = 200'000;
  const auto resident = [] {
    std::size_t pages = 0;
    std::ifstream{"/proc/self/statm"} >> pages >> pages;
    return pages * 4096;
  };
  recovery::HttpClient client{hub.server->port()};
  const auto before = resident();
  client.send("GET " + deliveries + " HTTP/1.0\r\nAuthorization: Bearer " + reader + "\r\n\r\n");
  CHECK(client.count_lines() > 200'000);
  CHECK(hub.store.pages >= 1000);
  CHECK(resident() < before + (std::size_t{16} << 20U));
}
