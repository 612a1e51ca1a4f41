#include "recovery/api/calls.hpp"

#include <algorithm>
#include <boost/json/serialize.hpp>

#include "recovery/api/operations.hpp"
#include "recovery/api/refusal.hpp"

namespace recovery {

namespace asio = boost::asio;
using dumpster::await_result;
using dumpster::Completion;

Calls::Calls(dumpster::Store& store, RunningRelay& relay, ApiSettings settings)
    : store_(store), relay_(relay), settings_(std::move(settings)) {}

http::Response json_answer(int status, const boost::json::object& document) {
  http::Response response;
  response.status = status;
  response.body = boost::json::serialize(document) + "\n";
  response.fields.emplace_back("Cache-Control", "no-store");
  return response;
}

void check_query(const http::Request& request, std::initializer_list<std::string_view> known) {
  std::vector<std::string_view> seen;
  for (const auto& [name, value] : request.query) {
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      throw Refusal{400, "this call has no parameter of that name", {{"field", name.substr(0, 100)}}};
    }
    if (std::find(seen.begin(), seen.end(), name) != seen.end()) {
      throw Refusal{400, name + " is given twice", {{"field", name}}};
    }
    seen.push_back(name);
  }
}

const dumpster::ClusterDefinition* Calls::definition_of(std::string_view cluster) const {
  for (const auto& definition : settings_.clusters) {
    if (definition.name == cluster) return &definition;
  }
  return nullptr;
}

void Calls::require_known(const http::Request& request) const {
  const auto& cluster = request.parameter("c");
  if (cluster.empty()) return;
  const auto* definition = definition_of(cluster);
  if (definition == nullptr) throw Refusal{404, "there is no such cluster"};
  const auto& group = request.parameter("g");
  if (group.empty()) return;
  for (const auto& known : definition->storage_groups) {
    if (known.name == group) return;
  }
  throw Refusal{404, "this cluster has no such storage group"};
}

void Calls::require_known_node(const std::string& cluster, const std::string& node) const {
  const auto* definition = definition_of(cluster);
  if (definition == nullptr) return;  // the scope of a token may name a cluster of another hub
  if (std::find(definition->nodes.begin(), definition->nodes.end(), node) != definition->nodes.end()) return;
  throw Refusal{400, "this cluster has no such node", {{"field", "node"}}};
}

asio::awaitable<dumpster::ClusterState> Calls::state_of(std::string cluster) {
  auto start = [&](Completion<dumpster::ClusterState> done) {
    store_.cluster_state(cluster, std::move(done));
  };
  auto state = co_await await_result<dumpster::ClusterState>(start);
  if (!state) throw Refusal{state.error()};
  co_return std::move(*state);
}

asio::awaitable<dumpster::StorageGroupState> Calls::group_state(dumpster::StorageGroup group) {
  auto start = [&](Completion<dumpster::StorageGroupState> done) {
    store_.storage_group_state(group, std::move(done));
  };
  auto state = co_await await_result<dumpster::StorageGroupState>(start);
  if (!state) throw Refusal{state.error()};
  co_return std::move(*state);
}

asio::awaitable<dumpster::Instant> Calls::snapshot() {
  auto start = [&](Completion<dumpster::Snapshot> done) { store_.snapshot(std::move(done)); };
  auto taken = co_await await_result<dumpster::Snapshot>(start);
  if (!taken) throw Refusal{taken.error()};
  co_return taken->now;
}

asio::awaitable<void> Calls::refuse(dumpster::Error error, std::string cluster) {
  boost::json::object members;
  if (error.fault == dumpster::Fault::conflict) {
    const auto state = co_await state_of(std::move(cluster));
    members["active"] = state.active;
    members["term"] = state.term;
  }
  throw Refusal{error, std::move(members)};
}

Calls::Answer Calls::description(Caller /*caller*/, http::Request request, http::Responder& out) {
  http::Response answer;
  check_query(request, {});
  answer.body = openapi_description();
  co_await out.send(std::move(answer));
}

}  // namespace recovery
