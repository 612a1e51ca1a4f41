#include <unistd.h>

#include <filesystem>
#include <future>

#include "dumpster/rocksdb_store.hpp"
#include "tests/integration/recovery/api_hub.hpp"

using namespace recovery::api_test;
using recovery::HttpClient;

namespace {

/// Waits for the answer of a call of the store.
template <class T, class Start>
T settled(Start start) {
  std::promise<dumpster::Result<T>> promise;
  start([&promise](dumpster::Result<T> result) { promise.set_value(std::move(result)); });
  return promise.get_future().get().value();
}

class Folder {
 public:
  Folder() : path(std::filesystem::temp_directory_path() / ("api-store-" + std::to_string(::getpid()))) {
    std::filesystem::remove_all(path);
  }
  ~Folder() { std::filesystem::remove_all(path); }
  const std::filesystem::path path;
};

std::unique_ptr<dumpster::Store> open_store(const Folder& folder) {
  dumpster::RocksDbStoreOptions options;
  options.path = folder.path / "store";
  options.clusters = settings().clusters;
  for (auto& cluster : options.clusters)
    cluster.first_active = "node1";
  std::filesystem::create_directories(folder.path);
  return dumpster::open_rocksdb_store(std::move(options)).value();
}

/// Takes one message in and delivers it to `node1`, or leaves it in doubt.
dumpster::Uuid deliver(dumpster::Store& store, const std::string& message_id, bool in_doubt) {
  dumpster::NewMessage mail;
  mail.message.key = dumpster::new_uuid(dumpster::system_clock().now());
  mail.message.received_at = dumpster::system_clock().now();
  mail.message.envelope.sender = "sender@example.test";
  mail.message.envelope.recipients.push_back({"alice@example.test", "alice@example.test", "", 0});
  mail.message.message_id = message_id;
  mail.body = "Message-ID: <" + message_id + ">\r\n\r\nhello\r\n";
  mail.message.size = mail.body.size();
  mail.message.chunks = 1;
  const auto key = mail.message.key;
  settled<dumpster::Done>([&](auto done) { store.accept(std::move(mail), std::move(done)); });
  dumpster::AttemptOutcome outcome;
  outcome.message = key;
  outcome.attempt = 1;
  outcome.target = dumpster::AttemptTarget{{"ccr1", "sg1"}, "node1", 0};
  dumpster::RecipientOutcome recipient;
  recipient.kind =
      in_doubt ? dumpster::RecipientOutcome::Kind::in_doubt : dumpster::RecipientOutcome::Kind::delivered;
  recipient.mailbox = "alice@example.test";
  recipient.next_attempt = dumpster::system_clock().now();
  outcome.recipients.push_back(recipient);
  settled<dumpster::AttemptRecorded>([&](auto done) { store.record(std::move(outcome), std::move(done)); });
  return key;
}

std::string item(const json::object& line, const std::string& outcome) {
  return "{\"delivery_id\":\"" + std::string{line.at("delivery_id").as_string()} +
         "\",\"attempt\":1,\"outcome\":\"" + outcome + "\"}";
}

}  // namespace

TEST_CASE("what was delivered is listed, read, settled and resubmitted from the store itself") {
  const Folder folder;
  const auto store = open_store(folder);
  deliver(*store, "one@example.test", false);
  deliver(*store, "two@example.test", true);
  recovery::FakeRelay relay{*store};
  recovery::Api api{*store, relay, settings()};
  recovery::http::Router router;
  api.add_routes(router, tokens);
  recovery::RunningServer server{std::move(router)};
  HttpClient client{server.port()};

  const auto lines = lines_of(client.ask("GET", deliveries, agent));
  REQUIRE(lines.size() == 3);
  CHECK(lines[0].at("message_id") == "one@example.test");
  CHECK(lines[0].at("state") == "delivered");
  CHECK(lines[1].at("state") == "in_doubt");
  CHECK(lines[2].at("count") == 2);
  CHECK(lines[2].at("now").as_string() > lines[1].at("delivered_at").as_string());
  const auto covered = std::string{lines[2].at("covered_from").as_string()};
  CHECK(lines_of(client.ask("GET", deliveries + "?from=" + covered, agent)).back().at("complete") == true);
  CHECK(lines_of(client.ask("GET", deliveries + "?state=in_doubt", agent)).size() == 2);

  const auto text = client.ask(
      "GET", deliveries + "/" + std::string{lines[0].at("delivery_id").as_string()} + "/message", admin);
  CHECK(text.body == "Message-ID: <one@example.test>\r\n\r\nhello\r\n");

  const std::string activation = R"({"node":"node2","term":1,"kind":"lossy"})";
  CHECK(client.ask("POST", "/v1/clusters/ccr1/activations", agent, activation).status == 200);
  const auto late = client.ask("POST", "/v1/clusters/ccr1/activations", agent,
                               R"({"node":"node1","term":1,"kind":"lossy"})");
  CHECK(late.status == 409);
  CHECK(document(late).at("active") == "node2");
  CHECK_FALSE(document(client.ask("GET", "/v1/clusters/ccr1", agent)).at("agent_seen").is_null());

  const auto body = [&](const std::string& node) {
    return "{\"key\":\"fill\",\"from\":\"1970-01-01T00:00:00Z\",\"until\":\"2100-01-01T00:00:00Z\",\"node\":"
           "\"" +
           node + "\",\"term\":1,\"deliveries\":[" + item(lines[0], "deliver") + "," +
           item(lines[1], "present") + "]}";
  };
  CHECK(client.ask("POST", resubmissions, agent, body("node1")).status == 409);
  const auto accepted = client.ask("POST", resubmissions, agent, body("node2"));
  CHECK(accepted.status == 202);
  CHECK(document(accepted).at("matched") == 2);
  CHECK(document(accepted).at("not_found").as_array().empty());
  CHECK(relay.reloaded > 0);
  CHECK(document(client.ask("POST", resubmissions, agent, body("node2"))).at("id") ==
        document(accepted).at("id"));
  const auto states = lines_of(client.ask("GET", deliveries, agent));
  REQUIRE(states.size() == 3);
  CHECK(states[0].at("state") == "resubmitting");
  CHECK(states[1].at("state") == "delivered");

  const auto id = std::string{document(accepted).at("id").as_string()};
  CHECK(document(client.ask("DELETE", "/v1/resubmissions/" + id, admin)).at("state") == "cancelled");
  CHECK(lines_of(client.ask("GET", deliveries, agent))[0].at("state") == "delivered");
  CHECK(client.ask("POST", "/v1/clusters/ccr1/recovered", agent, R"({"node":"node2","term":1})").status ==
        200);
  CHECK(client.ask("POST", "/v1/clusters/ccr1/recovered", agent, R"({"node":"node2","term":0})").status ==
        409);
  store->close();
  CHECK(client.ask("POST", "/v1/clusters/ccr1/recovered", agent, R"({"node":"node2","term":1})").status ==
        503);
}

TEST_CASE("a window may be resubmitted without evidence, but not for a node that is not active") {
  const Folder folder;
  const auto store = open_store(folder);
  deliver(*store, "one@example.test", false);
  recovery::FakeRelay relay{*store};
  recovery::Api api{*store, relay, settings()};
  recovery::http::Router router;
  api.add_routes(router, tokens);
  recovery::RunningServer server{std::move(router)};
  HttpClient client{server.port()};
  const std::string body = R"({"key":"k","from":"1970-01-01T00:00:00Z","until":"2100-01-01T00:00:00Z"})";
  CHECK(client.ask("POST", resubmissions, node2, body).status == 409);
  const auto accepted = client.ask("POST", resubmissions, agent, body);
  CHECK(accepted.status == 202);
  CHECK(document(accepted).at("matched") == 1);
  CHECK(document(accepted).at("complete") == false);
  store->close();
}
