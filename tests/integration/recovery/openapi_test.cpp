#include <boost/json/serialize.hpp>
#include <functional>
#include <set>

#include "recovery/api/answer_documents.hpp"
#include "recovery/api/operations.hpp"
#include "recovery/api/request_documents.hpp"
#include "tests/integration/recovery/api_hub.hpp"

using namespace recovery;
using namespace recovery::api_test;

namespace {

const json::object& description() {
  static const auto parsed = json::parse(openapi_description()).as_object();
  return parsed;
}

const json::object& schema(const std::string& name) {
  return description().at("components").as_object().at("schemas").as_object().at(name).as_object();
}

std::set<std::string> keys_of(const json::object& object) {
  std::set<std::string> keys;
  for (const auto& member : object)
    keys.emplace(member.key());
  return keys;
}

std::set<std::string> required_of(const std::string& name) {
  std::set<std::string> names;
  for (const auto& one : schema(name).at("required").as_array())
    names.emplace(one.as_string());
  return names;
}

/// The document has every required member of the schema, and none that the schema does not have.
void check_answer(const std::string& name, const json::object& document) {
  CAPTURE(name, json::serialize(document));
  const auto known = keys_of(schema(name).at("properties").as_object());
  const auto given = keys_of(document);
  for (const auto& key : given)
    CHECK(known.contains(key));
  for (const auto& key : required_of(name))
    CHECK(given.contains(key));
}

template <class Read>
void check_request(const std::string& name, json::object whole, Read read) {
  CAPTURE(name);
  CHECK(keys_of(whole) == keys_of(schema(name).at("properties").as_object()));
  CHECK_NOTHROW(read(json::serialize(whole)));
  const auto required = required_of(name);
  for (const auto& key : keys_of(whole)) {
    CAPTURE(key);
    auto less = whole;
    less.erase(key);
    if (required.contains(key)) {
      CHECK_THROWS(read(json::serialize(less)));
    } else {
      CHECK_NOTHROW(read(json::serialize(less)));
    }
  }
  whole["another"] = 1;
  CHECK_THROWS(read(json::serialize(whole)));
}

std::string least_role(Action action) {
  if (may(Role::read, action)) return "read";
  return may(Role::agent, action) ? "agent" : "admin";
}

std::string lower(std::string_view text) {
  std::string result;
  for (const char c : text)
    result += static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  return result;
}

}  // namespace

TEST_CASE("the description has every call with its role, and no other one") {
  std::set<std::string> described;
  for (const auto& path : description().at("paths").as_object()) {
    for (const auto& method : path.value().as_object())
      described.insert(std::string{method.key()} + " " + std::string{path.key()});
  }
  for (const auto& operation : operations()) {
    const auto name = lower(operation.method) + " " + std::string{operation.path};
    CAPTURE(name);
    REQUIRE(described.erase(name) == 1);
    const auto& told = description()
                           .at("paths")
                           .as_object()
                           .at(operation.path)
                           .as_object()
                           .at(lower(operation.method))
                           .as_object();
    CHECK(told.at("x-role").as_string() == least_role(operation.action));
    CHECK(told.contains("x-operator-only") == operation.operator_only);
    CHECK(told.contains("requestBody") == (operation.max_body > 0));
    std::set<std::string> parameters;
    if (const auto* list = told.if_contains("parameters")) {
      for (const auto& one : list->as_array()) {
        const auto* reference = one.as_object().if_contains("$ref");
        if (reference != nullptr) parameters.emplace(reference->as_string());
      }
    }
    for (const char* name_in_path : {"c", "g", "id"}) {
      const bool has = operation.path.find("{" + std::string{name_in_path} + "}") != std::string_view::npos;
      CHECK(parameters.contains("#/components/parameters/" + std::string{name_in_path}) == has);
    }
  }
  CHECK(described.empty());
}

TEST_CASE("every reference of the description leads somewhere, and every schema is used") {
  std::set<std::string> used;
  const std::function<void(const json::value&)> walk = [&](const json::value& value) {
    if (value.is_array()) {
      for (const auto& one : value.get_array())
        walk(one);
    }
    if (!value.is_object()) return;
    for (const auto& member : value.get_object()) {
      if (member.key() == "$ref") {
        const std::string target{member.value().as_string()};
        used.insert(target);
        json::error_code error;
        json::value(description()).find_pointer(target.substr(1), error);
        CAPTURE(target);
        CHECK_FALSE(error);
      } else {
        walk(member.value());
      }
    }
  };
  walk(json::value(description()));
  for (const auto& name : keys_of(description().at("components").as_object().at("schemas").as_object())) {
    CAPTURE(name);
    CHECK(used.contains("#/components/schemas/" + name));
  }
}

TEST_CASE("answers have the members that the description gives them") {
  Hub hub{5};
  check_answer("Hub", document(hub.get("/v1/hub")));
  const auto cluster = document(hub.get("/v1/clusters/ccr1"));
  check_answer("Cluster", cluster);
  check_answer("StorageGroup", cluster.at("storage_groups").as_array().at(0).as_object());
  const auto lines = lines_of(hub.get(deliveries));
  check_answer("Delivery", lines.front());
  check_answer("Recipient", lines.front().at("recipients").as_array().at(0).as_object());
  check_answer("ListingEnd", lines.back());
  const auto accepted = hub.post(resubmissions, "{\"key\":\"k1\"," + window + "}");
  CHECK(accepted.status == 202);
  check_answer("Accepted", document(accepted));
  const auto id = std::string{document(accepted).at("id").as_string()};
  check_answer("Resubmission", document(hub.get("/v1/resubmissions/" + id)));
  const auto preview = hub.post(resubmissions + "?dry_run=true", "{\"key\":\"k2\"," + window + "}");
  CHECK(preview.status == 200);
  check_answer("Preview", document(preview));
  check_answer("Holding", document(hub.post("/v1/clusters/ccr1/hold", R"({"for":"9s"})")));
  check_answer("Activated", document(hub.post("/v1/clusters/ccr1/activations",
                                              R"({"node":"node1","term":1,"kind":"lossy"})")));
  check_answer("Nothing", document(hub.post("/v1/clusters/ccr1/recovered", R"({"node":"node1","term":1})")));
  const auto conflict = document(hub.post("/v1/clusters/ccr1/recovered", R"({"node":"node1","term":7})"));
  check_answer("Problem", conflict);
  CHECK(conflict.at("term") == 1);
  check_answer("Problem", document(hub.get("/v1/none")));
  const auto replicated = hub.client->ask("PUT", "/v1/clusters/ccr1/storage-groups/sg1/replicated", agent,
                                          R"({"node":"node2","through":"2026-01-31T00:00:00Z"})");
  check_answer("ReplicationReport", document(replicated));
  CHECK(json::parse(hub.get("/v1/openapi.json", reader).body) == json::value(description()));
}

TEST_CASE("the operator's answers have the members that the description gives them") {
  Hub hub{1, true};
  hub.post(resubmissions, "{\"key\":\"k1\"," + window + "}");
  const auto status = document(hub.get("/v1/status"));
  check_answer("Status", status);
  check_answer("Spool", status.at("spool").as_object());
  check_answer("Destination", status.at("destinations").as_array().at(0).as_object());
  const std::string group = "/v1/clusters/ccr1/storage-groups/sg1";
  check_answer("Sizing", document(hub.get(group + "/sizing")));
  check_answer("Purged", document(hub.client->ask("DELETE", group + "/deliveries", admin)));
  check_answer("Verification", document(hub.post("/v1/verification", "")));
  check_answer("BackupMade", document(hub.post("/v1/backup", R"({"directory":"/some/where"})")));
}

TEST_CASE("requests take the members that the description gives them") {
  check_request("Activation", json::object{{"node", "node1"}, {"term", 1}, {"kind", "lossy"}},
                [](const std::string& body) { activation_from(body); });
  check_request("ReplicationReport", json::object{{"node", "node2"}, {"through", "2026-01-31T00:00:00Z"}},
                [](const std::string& body) { replicated_report_from(body); });
  check_request("BackupRequest", json::object{{"directory", "/some/where"}},
                [](const std::string& body) { backup_from(body); });
  check_request("Hold", json::object{{"for", 9}}, [](const std::string& body) { hold_from(body); });
  check_request("Recovered", json::object{{"node", "node1"}, {"term", 1}},
                [](const std::string& body) { recovered_report_from(body); });
  const json::object absent{{"delivery_id", some_id}, {"recipients", json::array{"a"}}};
  check_request("AbsentItem", absent, [](const std::string& body) {
    absent_report_from(R"({"node":"node1","term":1,"deliveries":[)" + body + "]}");
  });
  check_request("AbsentReport",
                json::object{{"node", "node1"}, {"term", 1}, {"deliveries", json::array{absent}}},
                [](const std::string& body) { absent_report_from(body); });
  const json::object item{
      {"delivery_id", some_id}, {"attempt", 1}, {"recipients", json::array{"a"}}, {"outcome", "present"}};
  check_request("ResubmissionItem", item, [](const std::string& body) {
    resubmission_from("{\"key\":\"k\"," + window + ",\"deliveries\":[" + body + "]}", false);
  });
  const json::object request{{"key", "k"},
                             {"from", "2026-01-31T00:00:00Z"},
                             {"until", "2026-02-01T00:00:00Z"},
                             {"node", "node1"},
                             {"term", 1},
                             {"deliveries", json::array{item}},
                             {"recipient", "a"},
                             {"message_id", "<b>"}};
  check_request("ResubmissionRequest", request,
                [](const std::string& body) { resubmission_from(body, false); });
}
