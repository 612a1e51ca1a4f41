#include <boost/json/array.hpp>

#include "recovery/api/answer_documents.hpp"
#include "recovery/api/calls.hpp"
#include "recovery/api/refusal.hpp"
#include "recovery/api/request_documents.hpp"

namespace recovery {

namespace asio = boost::asio;
namespace json = boost::json;
using dumpster::await_result;
using dumpster::Completion;
using dumpster::to_rfc3339;

namespace {

constexpr std::uint64_t longest_jump = 1000;

}  // namespace

Calls::Answer Calls::hub(Caller caller, http::Request request, http::Responder& out) {
  json::object document;
  check_query(request, {});
  const auto now = co_await snapshot();
  const auto identity = store_.identity();
  document["hub"] = settings_.hub;
  document["version"] = settings_.version;
  document["now"] = to_rfc3339(now);
  document["store_id"] = to_string(identity.store_id);
  document["store_created"] = to_rfc3339(identity.store_created);
  document["sequence"] = identity.sequence;
  json::array clusters;
  for (const auto& definition : settings_.clusters) {
    if (caller.identity.scope.covers(definition.name)) clusters.emplace_back(definition.name);
  }
  document["clusters"] = std::move(clusters);
  auto answer = json_answer(200, document);
  co_await out.send(std::move(answer));
}

asio::awaitable<json::object> Calls::cluster_document(std::string cluster) {
  std::vector<dumpster::StorageGroupState> groups;
  const auto state = co_await state_of(cluster);
  const auto* definition = definition_of(cluster);
  if (definition == nullptr) throw Refusal{404, "there is no such cluster"};
  for (const auto& group : definition->storage_groups) {
    dumpster::StorageGroup name{cluster, group.name};
    auto one = co_await group_state(std::move(name));
    groups.push_back(std::move(one));
  }
  auto document = document_of(state, groups, dumpster::system_clock().now());
  co_return document;
}

Calls::Answer Calls::cluster(Caller /*caller*/, http::Request request, http::Responder& out) {
  const std::string name = request.parameter("c");
  check_query(request, {});
  const auto document = co_await cluster_document(name);
  auto answer = json_answer(200, document);
  co_await out.send(std::move(answer));
}

Calls::Answer Calls::activate(Caller caller, http::Request request, http::Responder& out) {
  auto activation = activation_from(request.body);
  const bool agent = caller.identity.role == Role::agent;
  activation.cluster = request.parameter("c");
  activation.by_agent = agent;
  const auto& own = caller.identity.scope.node;
  if (!own.empty() && own != activation.node) throw Refusal{403, "this token may activate its own node only"};
  require_known_node(activation.cluster, activation.node);
  const auto before = co_await state_of(activation.cluster);
  const bool jump = activation.term > before.term && activation.term - before.term > longest_jump;
  if (jump && !may(caller.identity.role, Action::jump_term)) {
    throw Refusal{403, "a jump of more than 1,000 terms wants the role admin"};
  }
  auto start = [&](Completion<dumpster::ActivationResult> done) {
    relay_.activate(activation, std::move(done));
  };
  auto result = co_await await_result<dumpster::ActivationResult>(start);
  if (!result) throw Refusal{result.error()};
  if (!result->touched.empty()) relay_.reload(result->touched);
  json::object document;
  document["active"] = result->state.active;
  document["term"] = result->state.term;
  if (!result->applied) {
    auto conflict = http::problem(409, "the term is not higher than the current one", std::move(document));
    co_await out.send(std::move(conflict));
    co_return;
  }
  document["now"] = to_rfc3339(result->now);
  auto answer = json_answer(200, document);
  co_await out.send(std::move(answer));
}

Calls::Answer Calls::recovered(Caller caller, http::Request request, http::Responder& out) {
  const auto report = recovered_report_from(request.body);
  const std::string cluster = request.parameter("c");
  const auto& own = caller.identity.scope.node;
  if (!own.empty() && own != report.node) throw Refusal{403, "this token speaks for its own node only"};
  require_known_node(cluster, report.node);
  auto start = [&](Completion<dumpster::Done> done) {
    store_.recovered(cluster, report.node, report.term, std::move(done));
  };
  auto done = co_await await_result<dumpster::Done>(start);
  if (!done) {
    co_await refuse(done.error(), cluster);
  }
  const json::object nothing;
  auto answer = json_answer(200, nothing);
  co_await out.send(std::move(answer));
}

asio::awaitable<std::vector<RunningRelay::Destination>> Calls::destinations() {
  using List = std::vector<RunningRelay::Destination>;
  auto start = [&](Completion<List> done) {
    relay_.destinations([done = std::move(done)](List list) { done(std::move(list)); });
  };
  auto list = co_await await_result<List>(start);
  co_return std::move(*list);
}

Calls::Answer Calls::status(Caller /*caller*/, http::Request request, http::Responder& out) {
  json::object document;
  check_query(request, {});
  document["hub"] = settings_.hub;
  document["version"] = settings_.version;
  document["started_at"] = to_rfc3339(settings_.started_at);
  document["accepting"] = relay_.accepting();
  document["writable"] = store_.writable();
  const auto totals = store_.spool_totals();
  json::object spool;
  spool["messages"] = totals.messages;
  spool["bytes"] = totals.bytes;
  spool["oldest"] = totals.oldest ? json::value(to_rfc3339(*totals.oldest)) : json::value(nullptr);
  document["spool"] = std::move(spool);
  json::array hops;
  const auto list = co_await destinations();
  for (const auto& destination : list) {
    json::object one;
    one["route"] = destination.route;
    one["queued"] = destination.queued;
    one["in_flight"] = destination.in_flight;
    one["held_in_doubt"] = destination.held_in_doubt;
    one["last_error"] = utf8(destination.last_error);
    hops.push_back(std::move(one));
  }
  document["destinations"] = std::move(hops);
  json::array clusters;
  for (const auto& definition : settings_.clusters) {
    auto one = co_await cluster_document(definition.name);
    clusters.push_back(std::move(one));
  }
  document["clusters"] = std::move(clusters);
  json::array running;
  const auto resubmissions = co_await newest_resubmissions();
  for (const auto& resubmission : resubmissions) {
    const bool goes_on = resubmission.state == dumpster::ResubmissionState::running ||
                         resubmission.state == dumpster::ResubmissionState::paused;
    if (goes_on) running.push_back(resubmission_document(resubmission));
  }
  document["resubmissions"] = std::move(running);
  auto answer = json_answer(200, document);
  co_await out.send(std::move(answer));
}

}  // namespace recovery
