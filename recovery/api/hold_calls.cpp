#include "recovery/api/calls.hpp"
#include "recovery/api/refusal.hpp"
#include "recovery/api/request_documents.hpp"

namespace recovery {

namespace json = boost::json;
using dumpster::await_result;
using dumpster::Completion;

namespace {

json::object document_of(const std::string& cluster, const RunningRelay::Holding& holding) {
  json::object document;
  document["cluster"] = cluster;
  document["held"] = holding.until.has_value();
  document["held_until"] =
      holding.until ? json::value(dumpster::to_rfc3339(*holding.until)) : json::value(nullptr);
  document["in_flight"] = holding.in_flight;
  return document;
}

}  // namespace

Calls::Answer Calls::hold(Caller /*caller*/, http::Request request, http::Responder& out) {
  const auto duration = hold_from(request.body);
  const std::string cluster = request.parameter("c");
  auto start = [&](Completion<RunningRelay::Holding> done) {
    relay_.hold(cluster, duration, std::move(done));
  };
  auto holding = co_await await_result<RunningRelay::Holding>(start);
  if (!holding) throw Refusal{holding.error()};
  auto answer = json_answer(200, document_of(cluster, *holding));
  co_await out.send(std::move(answer));
}

Calls::Answer Calls::release(Caller /*caller*/, http::Request request, http::Responder& out) {
  const std::string cluster = request.parameter("c");
  release_from(request.body);
  auto start = [&](Completion<RunningRelay::Holding> done) { relay_.release(cluster, std::move(done)); };
  auto holding = co_await await_result<RunningRelay::Holding>(start);
  if (!holding) throw Refusal{holding.error()};
  auto answer = json_answer(200, document_of(cluster, *holding));
  co_await out.send(std::move(answer));
}

}  // namespace recovery
