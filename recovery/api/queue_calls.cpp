#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <charconv>
#include <map>

#include "recovery/api/answer_documents.hpp"
#include "recovery/api/calls.hpp"
#include "recovery/api/fields.hpp"
#include "recovery/api/parameters.hpp"
#include "recovery/api/refusal.hpp"
#include "recovery/api/request_documents.hpp"

namespace recovery {

namespace asio = boost::asio;
namespace json = boost::json;
using dumpster::await_result;
using dumpster::Completion;
using dumpster::to_rfc3339;
using Filter = RunningRelay::QueueFilter;
using QueueAction = RunningRelay::QueueAction;

namespace {

constexpr std::size_t longest_text = 1024;
constexpr std::uint64_t lines_without_limit = 1000;
constexpr std::uint64_t most_lines = 1'000'000;
constexpr std::size_t most_gathered = std::size_t{64} * 1024;

dumpster::Uuid id_from(const std::string& value) {
  const auto id = dumpster::uuid_from(value);
  if (!id) throw Refusal{400, "id is not a UUID", {{"field", "id"}}};
  return *id;
}

Filter filter_of(const http::Request& request, std::uint64_t& limit) {
  Filter filter;
  check_query(request,
              {"id", "message_id", "recipient", "sender", "destination", "received_before", "held", "limit"});
  for (const auto& [name, value] : request.query) {
    if (name == "id") filter.id = id_from(value);
    if (name == "message_id") filter.message_id = without_brackets(value);
    if (name == "recipient") filter.recipient = value;
    if (name == "sender") filter.sender = value;
    if (name == "destination") filter.destination = value;
    if (name == "received_before") filter.received_before = instant_from(name, value);
    if (name == "held") filter.held = flag_from(name, value);
    if (name != "limit") continue;
    const auto* end = value.data() + value.size();
    const auto [stop, error] = std::from_chars(value.data(), end, limit);
    if (error != std::errc{} || stop != end || limit == 0 || limit > most_lines)
      throw Refusal{400, "limit is a whole number up to 1,000,000", {{"field", "limit"}}};
  }
  return filter;
}

struct Order {
  Filter filter;
  bool dry_run = false;
};

/// What an order is about has to be said, if only with `all`: an empty body must not empty the queue.
Order order_from(std::string_view body) {
  const auto object = parse_object(body);
  Fields fields{object};
  Order order;
  if (const auto id = fields.text_if_any("id", 64)) order.filter.id = id_from(*id);
  order.filter.message_id = without_brackets(fields.text_if_any("message_id", longest_text).value_or(""));
  order.filter.recipient = fields.text_if_any("recipient", longest_text).value_or("");
  order.filter.sender = fields.text_if_any("sender", longest_text).value_or("");
  order.filter.destination = fields.text_if_any("destination", longest_text).value_or("");
  if (object.contains("received_before")) order.filter.received_before = fields.instant("received_before");
  const bool all = fields.flag_if_any("all").value_or(false);
  order.dry_run = fields.flag_if_any("dry_run").value_or(false);
  fields.end();
  const auto& filter = order.filter;
  const bool said = filter.id || filter.received_before || !filter.message_id.empty() ||
                    !filter.recipient.empty() || !filter.sender.empty() || !filter.destination.empty();
  if (said == all)
    throw Refusal{
        400, "say what is meant: id, message_id, recipient, sender, destination, received_before, or all"};
  return order;
}

QueueAction action_of(const std::string& path) {
  static const std::map<std::string, QueueAction> actions{{"hold", QueueAction::hold},
                                                          {"release", QueueAction::release},
                                                          {"retry", QueueAction::retry},
                                                          {"delete", QueueAction::remove}};
  return actions.at(path.substr(path.rfind('/') + 1));
}

}  // namespace

asio::awaitable<RunningRelay::QueuePage> Calls::queue_page(Filter filter,
                                                           std::optional<dumpster::Uuid> after) {
  auto start = [&](Completion<RunningRelay::QueuePage> done) {
    relay_.queue(filter, after, std::move(done));
  };
  auto page = co_await await_result<RunningRelay::QueuePage>(start);
  if (!page) throw Refusal{page.error()};
  co_return std::move(*page);
}

Calls::Answer Calls::queue(Caller /*caller*/, http::Request request, http::Responder& out) {
  std::uint64_t limit = lines_without_limit;
  const auto filter = filter_of(request, limit);
  http::Response head;
  head.content_type = "application/x-ndjson";
  co_await out.begin(std::move(head));
  std::optional<dumpster::Uuid> after;
  std::uint64_t count = 0;
  bool more = true;
  bool complete = true;
  while (more && complete) {
    auto page = co_await queue_page(filter, after);
    std::string lines;
    for (const auto& mail : page.mails) {
      if (count == limit) {
        complete = false;
        break;
      }
      ++count;
      lines += json::serialize(document_of(mail)) + "\n";
      if (lines.size() < most_gathered) continue;
      co_await out.write(std::move(lines));
      lines.clear();
    }
    if (!lines.empty()) {
      co_await out.write(std::move(lines));
    }
    after = page.continue_after;
    more = after.has_value();
  }
  json::object last;
  last["count"] = count;
  last["complete"] = complete;
  co_await out.write(json::serialize(last) + "\n");
  co_await out.end();
}

asio::awaitable<RunningRelay::QueueChanged> Calls::change_all(Filter filter, QueueAction action,
                                                              bool dry_run) {
  RunningRelay::QueueChanged all;
  std::optional<dumpster::Uuid> after;
  bool more = true;
  while (more) {
    auto page = co_await queue_page(filter, after);
    std::vector<RunningRelay::QueueSelection> selected;
    for (const auto& mail : page.mails) {
      RunningRelay::QueueSelection one{mail.id, {}};
      for (const auto& recipient : mail.recipients)
        one.recipients.push_back(recipient.index);
      selected.push_back(std::move(one));
    }
    after = page.continue_after;
    more = after.has_value();
    if (dry_run) {
      for (const auto& one : selected)
        all.recipients += one.recipients.size();
      all.messages += selected.size();
      continue;
    }
    auto start = [&](Completion<RunningRelay::QueueChanged> done) {
      relay_.change_queue(action, std::move(selected), std::move(done));
    };
    auto changed = co_await await_result<RunningRelay::QueueChanged>(start);
    if (!changed) throw Refusal{changed.error()};
    all.messages += changed->messages;
    all.recipients += changed->recipients;
    all.under_way += changed->under_way;
  }
  co_return all;
}

Calls::Answer Calls::change_queue(Caller /*caller*/, http::Request request, http::Responder& out) {
  const auto order = order_from(request.body);
  const auto changed = co_await change_all(order.filter, action_of(request.path), order.dry_run);
  json::object document;
  document["dry_run"] = order.dry_run;
  document["messages"] = changed.messages;
  document["recipients"] = changed.recipients;
  document["under_way"] = changed.under_way;
  auto answer = json_answer(200, document);
  co_await out.send(std::move(answer));
}

}  // namespace recovery
