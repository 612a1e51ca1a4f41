#include <algorithm>
#include <boost/json/serialize.hpp>

#include "recovery/api/answer_documents.hpp"
#include "recovery/api/calls.hpp"
#include "recovery/api/parameters.hpp"
#include "recovery/api/refusal.hpp"
#include "recovery/api/request_documents.hpp"

namespace recovery {

namespace asio = boost::asio;
using dumpster::await_result;
using dumpster::Completion;

namespace {

constexpr std::size_t most_listed = 1000;

}  // namespace

Calls::Answer Calls::resubmit(Caller caller, http::Request request, http::Responder& out) {
  const bool agent = caller.identity.role == Role::agent;
  check_query(request, {"dry_run"});
  auto wanted = resubmission_from(request.body, agent);
  wanted.group = {request.parameter("c"), request.parameter("g")};
  wanted.lifetime = settings_.resubmit_lifetime;
  for (const auto& [name, value] : request.query)
    wanted.dry_run = flag_from(name, value);
  // A whole window needs no evidence, so an agent may leave node and term out; asked for by a node that is
  // not the active one it is refused all the same.
  if (agent && !wanted.items) wanted.by_agent = wanted.node && wanted.term;
  if (agent && !wanted.node && !caller.node.empty()) wanted.node = caller.node;
  if (wanted.node) require_known_node(wanted.group.cluster, *wanted.node);
  const auto& own = caller.identity.scope.node;
  if (!own.empty() && wanted.node && own != *wanted.node)
    throw Refusal{403, "this token speaks for its own node only"};
  auto start = [&](Completion<dumpster::ResubmissionAccepted> done) {
    store_.resubmit(wanted, std::move(done));
  };
  auto accepted = co_await await_result<dumpster::ResubmissionAccepted>(start);
  if (!accepted) {
    co_await refuse(accepted.error(), wanted.group.cluster);
  }
  if (!accepted->touched.empty()) relay_.reload(accepted->touched);
  if (settings_.resubmissions != nullptr) settings_.resubmissions->wake();
  auto answer =
      wanted.dry_run ? json_answer(200, preview_of(*accepted)) : json_answer(202, document_of(*accepted));
  if (!wanted.dry_run)
    answer.fields.emplace_back("Location", "/v1/resubmissions/" + to_string(accepted->resubmission.id));
  co_await out.send(std::move(answer));
}

boost::json::object Calls::resubmission_document(const dumpster::Resubmission& resubmission) const {
  auto document = document_of(resubmission);
  const bool paused = resubmission.state == dumpster::ResubmissionState::paused;
  if (paused && settings_.resubmissions != nullptr)
    document["paused_because"] = settings_.resubmissions->paused_because(resubmission.group.cluster);
  return document;
}

asio::awaitable<std::vector<dumpster::Resubmission>> Calls::newest_resubmissions() {
  using List = std::vector<dumpster::Resubmission>;
  auto start = [&](Completion<List> done) { store_.resubmissions(most_listed, std::move(done)); };
  auto list = co_await await_result<List>(start);
  if (!list) throw Refusal{list.error()};
  co_return std::move(*list);
}

Calls::Answer Calls::resubmissions(Caller caller, http::Request request, http::Responder& out) {
  http::Response answer;
  check_query(request, {});
  auto list = co_await newest_resubmissions();
  std::reverse(list.begin(), list.end());
  for (const auto& resubmission : list) {
    if (!caller.identity.scope.covers(resubmission.group.cluster)) continue;
    answer.body += boost::json::serialize(resubmission_document(resubmission)) + "\n";
  }
  answer.content_type = "application/x-ndjson";
  answer.fields.emplace_back("Cache-Control", "no-store");
  co_await out.send(std::move(answer));
}

asio::awaitable<dumpster::Resubmission> Calls::load_resubmission(Caller caller, Action action,
                                                                 std::string id) {
  const auto uuid = dumpster::uuid_from(id);
  if (!uuid) throw Refusal{404, "there is no such resubmission"};
  auto start = [&](Completion<dumpster::Resubmission> done) { store_.resubmission(*uuid, std::move(done)); };
  auto found = co_await await_result<dumpster::Resubmission>(start);
  if (!found) throw Refusal{found.error()};
  if (const auto reason = denied(caller.identity, action, found->group.cluster)) throw Refusal{403, *reason};
  co_return std::move(*found);
}

Calls::Answer Calls::resubmission(Caller caller, http::Request request, http::Responder& out) {
  const std::string id = request.parameter("id");
  check_query(request, {});
  const auto found = co_await load_resubmission(std::move(caller), Action::look, id);
  auto answer = json_answer(200, resubmission_document(found));
  co_await out.send(std::move(answer));
}

Calls::Answer Calls::cancel(Caller caller, http::Request request, http::Responder& out) {
  const std::string id = request.parameter("id");
  check_query(request, {});
  const auto found = co_await load_resubmission(caller, Action::cancel, id);
  auto start = [&](Completion<std::vector<dumpster::Uuid>> done) {
    store_.cancel(found.id, std::move(done));
  };
  auto touched = co_await await_result<std::vector<dumpster::Uuid>>(start);
  if (!touched) {
    co_await refuse(touched.error(), found.group.cluster);
  }
  if (!touched->empty()) relay_.reload(*touched);
  const auto ended = co_await load_resubmission(std::move(caller), Action::cancel, id);
  auto answer = json_answer(200, resubmission_document(ended));
  co_await out.send(std::move(answer));
}

}  // namespace recovery
