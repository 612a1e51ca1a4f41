#include <algorithm>
#include <boost/json/serialize.hpp>
#include <utility>

#include "recovery/api/answer_documents.hpp"
#include "recovery/api/calls.hpp"
#include "recovery/api/parameters.hpp"
#include "recovery/api/refusal.hpp"
#include "recovery/api/request_documents.hpp"

namespace recovery {

namespace asio = boost::asio;
namespace json = boost::json;
using dumpster::await_result;
using dumpster::Completion;
using dumpster::to_rfc3339;

namespace {

// Lines that one page holds at the most, and bytes that are gathered before they are sent: they bound the
// memory of a listing, however long it is.
constexpr std::size_t page_lines = 200;
constexpr std::size_t most_gathered = std::size_t{64} * 1024;
// Deliveries that one write marks as absent.
constexpr std::size_t absent_at_once = 500;

/// `until` stays empty when it is not given: then it is the listing's `now`.
struct Window {
  dumpster::Instant from{};
  std::optional<dumpster::Instant> until;
  std::optional<dumpster::DeliveryState> state;
};

Window window_of(const http::Request& request) {
  check_query(request, {"from", "until", "state"});
  Window window;
  for (const auto& [name, value] : request.query) {
    if (value.empty()) continue;  // as if it were not there
    if (name == "state") {
      window.state = dumpster::delivery_state_from(value);
      if (!window.state) throw Refusal{400, "there is no such state of a delivery", {{"field", "state"}}};
    } else if (name == "from") {
      window.from = instant_from(name, value);
    } else {
      window.until = instant_from(name, value);
    }
  }
  if (window.until && *window.until < window.from)
    throw Refusal{400, "until is before from", {{"field", "until"}}};
  return window;
}

http::Response stream_head(std::string content_type) {
  http::Response head;
  head.content_type = std::move(content_type);
  head.fields.emplace_back("Cache-Control", "no-store");
  return head;
}

}  // namespace

Calls::Answer Calls::deliveries(Caller /*caller*/, http::Request request, http::Responder& out) {
  const auto group = group_of(request);
  const auto window = window_of(request);
  // The snapshot first: whatever is recorded from now on has a later time, so `now` is where the next listing
  // goes on.
  const auto now = co_await snapshot();
  co_await group_state(group);  // refuses, where it has to, before the stream begins
  dumpster::DeliveryQuery query;
  query.group = group;
  query.from = window.from;
  query.until = window.until && *window.until < now ? *window.until : now;
  query.state = window.state;
  query.limit = page_lines;
  auto head = stream_head("application/x-ndjson");
  co_await out.begin(std::move(head));
  const auto streamed = co_await stream_lines(query, out);
  // The coverage last: what was removed while the listing ran must not count as covered.
  const auto state = co_await group_state(group);
  const auto identity = store_.identity();
  json::object last;
  // While retention is off coverage begins now, which for this listing is its own `now`.
  auto covered_from = std::min(state.covered_from, now);
  // What could not be read is not covered, nor is what was before it.
  if (streamed.damaged_until) covered_from = std::max(covered_from, *streamed.damaged_until);
  last["covered_from"] = to_rfc3339(covered_from);
  last["complete"] = window.from >= covered_from;
  last["store_id"] = to_string(identity.store_id);
  last["store_created"] = to_rfc3339(identity.store_created);
  last["now"] = to_rfc3339(now);
  last["count"] = streamed.lines;
  auto line = json::serialize(last) + "\n";
  co_await out.write(std::move(line));
  co_await out.end();
}

asio::awaitable<Calls::Streamed> Calls::stream_lines(dumpster::DeliveryQuery query, http::Responder& out) {
  Streamed streamed;
  bool more = query.from < query.until;
  while (more) {
    auto start = [&](Completion<dumpster::DeliveryPage> done) { store_.list(query, std::move(done)); };
    auto page = co_await await_result<dumpster::DeliveryPage>(start);
    if (!page) throw Refusal{page.error()};  // the stream has begun: it is cut
    std::string lines;
    for (const auto& delivery : page->deliveries) {
      lines += json::serialize(document_of(delivery));
      lines += '\n';
      ++streamed.lines;
      if (lines.size() < most_gathered) continue;
      std::string full;
      full.swap(lines);
      co_await out.write(std::move(full));
    }
    if (page->damaged_until) streamed.damaged_until = page->damaged_until;
    co_await out.write(std::move(lines));
    more = page->continue_from.has_value() && *page->continue_from > query.from;
    if (more) query.from = *page->continue_from;
  }
  co_return streamed;
}

asio::awaitable<std::string> Calls::body_chunk(dumpster::Uuid message, std::uint32_t chunk) {
  auto start = [&](Completion<std::string> done) { store_.read_body(message, chunk, std::move(done)); };
  auto bytes = co_await await_result<std::string>(start);
  if (!bytes) throw Refusal{bytes.error()};
  co_return std::move(*bytes);
}

Calls::Answer Calls::message(Caller /*caller*/, http::Request request, http::Responder& out) {
  const auto group = group_of(request);
  const auto id = delivery_id_in(request);
  check_query(request, {});
  auto start = [&](Completion<std::vector<dumpster::Delivery>> done) {
    store_.find(group, id, std::move(done));
  };
  auto lines = co_await await_result<std::vector<dumpster::Delivery>>(start);
  if (!lines) throw Refusal{lines.error()};
  if (lines->empty()) throw Refusal{404, "there is no such delivery"};
  const auto key = lines->front().message;
  const auto chunks = (lines->front().size + dumpster::body_chunk_size - 1) / dumpster::body_chunk_size;
  std::string bytes;
  if (chunks > 0) {
    bytes = co_await body_chunk(key, 0);
  }
  auto head = stream_head("message/rfc822");
  co_await out.begin(std::move(head));
  co_await out.write(std::move(bytes));
  for (std::uint32_t chunk = 1; chunk < chunks; ++chunk) {
    auto next = co_await body_chunk(key, chunk);
    co_await out.write(std::move(next));
  }
  co_await out.end();
}

Calls::Answer Calls::absent(Caller caller, http::Request request, http::Responder& out) {
  auto report = absent_report_from(request.body);
  report.group = group_of(request);
  const auto& own = caller.identity.scope.node;
  if (!own.empty() && own != report.node) throw Refusal{403, "this token speaks for its own node only"};
  require_known_node(report.group.cluster, report.node);
  // In pieces: a long report does not hold up mail. One that breaks off may be sent again.
  auto items = std::exchange(report.items, {});
  std::size_t next = 0;
  do {
    const auto count = std::min(absent_at_once, items.size() - next);
    const auto first = items.begin() + static_cast<std::ptrdiff_t>(next);
    report.items.assign(first, first + static_cast<std::ptrdiff_t>(count));
    next += count;
    auto start = [&](Completion<dumpster::Done> done) { store_.mark_absent(report, std::move(done)); };
    auto done = co_await await_result<dumpster::Done>(start);
    if (!done) {
      co_await refuse(done.error(), report.group.cluster);
    }
  } while (next < items.size());
  const json::object nothing;
  auto answer = json_answer(200, nothing);
  co_await out.send(std::move(answer));
}

Calls::Answer Calls::replicated(Caller caller, http::Request request, http::Responder& out) {
  const auto read = replicated_report_from(request.body);
  dumpster::ReplicationReport report{group_of(request), read.node, read.through};
  const auto& own = caller.identity.scope.node;
  if (!own.empty() && own != report.node) throw Refusal{403, "this token speaks for its own node only"};
  require_known_node(report.group.cluster, report.node);
  auto start = [&](Completion<dumpster::Instant> done) { store_.report_replicated(report, std::move(done)); };
  auto stands = co_await await_result<dumpster::Instant>(start);
  if (!stands) {
    co_await refuse(stands.error(), report.group.cluster);
  }
  json::object document;
  document["node"] = report.node;
  document["through"] = to_rfc3339(*stands);
  auto answer = json_answer(200, document);
  co_await out.send(std::move(answer));
}

}  // namespace recovery
