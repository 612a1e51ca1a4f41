#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <map>
#include <set>

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
using Kind = dumpster::HistoryEvent::Kind;

namespace {

/// Addresses by place in the envelope, as far as they are known.
using Names = std::map<std::uint32_t, std::string>;

dumpster::HistoryQuery query_of(const http::Request& request) {
  dumpster::HistoryQuery query;
  check_query(request, {"id", "message_id", "recipient"});
  for (const auto& [name, value] : request.query) {
    if (value.empty()) throw Refusal{400, name + " is empty", {{"field", name}}};
    if (name == "message_id") query.message_id = without_brackets(value);
    if (name == "recipient") query.recipient = value;
    if (name != "id") continue;
    query.id = dumpster::uuid_from(value);
    if (!query.id) throw Refusal{400, "id is not a UUID", {{"field", "id"}}};
  }
  if (request.query.empty()) throw Refusal{400, "say what is looked for: id, message_id or recipient"};
  return query;
}

std::string name_in(const Names& names, std::uint32_t index) {
  const auto found = names.find(index);
  return found == names.end() ? "recipient " + std::to_string(index) : utf8(found->second);
}

json::object document_of(const dumpster::HistoryEvent& event, const Names& names) {
  json::object document;
  document["at"] = to_rfc3339(event.at);
  document["event"] = to_string(event.kind);
  json::array recipients;
  for (const auto index : event.recipients)
    recipients.emplace_back(name_in(names, index));
  document["recipients"] = std::move(recipients);
  if (event.kind == Kind::accepted) return document;
  if (event.attempt > 0) document["attempt"] = event.attempt;
  if (event.group) {
    document["storage_group"] = name_of(*event.group);
    document["delivery_id"] =
        to_string(dumpster::delivery_id_of(event.message, event.group->cluster, event.group->group));
  }
  if (!event.where.empty()) document["where"] = utf8(event.where);
  if (!event.reply.empty()) document["reply"] = utf8(event.reply);
  if (event.retained) document["retained"] = true;
  if (!event.resubmission.is_nil()) document["resubmission"] = to_string(event.resubmission);
  return document;
}

/// What each recipient came to, by the last event of it.
json::array ends_of(const std::vector<dumpster::HistoryEvent>& events, const Names& names) {
  std::map<std::uint32_t, const dumpster::HistoryEvent*> last;
  for (const auto& event : events) {
    // That the sender was told changes nothing.
    if (event.kind == Kind::delayed) continue;
    for (const auto index : event.recipients)
      last[index] = &event;
  }
  json::array ends;
  for (const auto& [index, event] : last) {
    json::object one;
    one["address"] = name_in(names, index);
    one["state"] = event->kind == Kind::accepted || event->kind == Kind::released ? std::string_view{"queued"}
                   : event->kind == Kind::present ? std::string_view{"delivered"}
                                                  : to_string(event->kind);
    one["since"] = to_rfc3339(event->at);
    one["where"] = event->group
                       ? name_of(*event->group) + (event->where.empty() ? "" : " " + utf8(event->where))
                       : utf8(event->where);
    ends.push_back(std::move(one));
  }
  return ends;
}

}  // namespace

asio::awaitable<dumpster::HistoryFound> Calls::remembered(dumpster::HistoryQuery query) {
  auto start = [&](Completion<dumpster::HistoryFound> done) { store_.history(query, std::move(done)); };
  auto found = co_await await_result<dumpster::HistoryFound>(start);
  if (!found) throw Refusal{found.error()};
  co_return std::move(*found);
}

/// Lines of a delivery; none is no error.
asio::awaitable<std::vector<dumpster::Delivery>> Calls::retained(dumpster::StorageGroup group,
                                                                 dumpster::Uuid delivery) {
  std::vector<dumpster::Delivery> lines;
  auto start = [&](Completion<std::vector<dumpster::Delivery>> done) {
    store_.find(group, delivery, std::move(done));
  };
  auto found = co_await await_result<std::vector<dumpster::Delivery>>(start);
  if (found) lines = std::move(*found);
  if (!found && found.error().fault != dumpster::Fault::not_found) throw Refusal{found.error()};
  co_return lines;
}

/// Mail that is older than the history: what spool and dumpsters still know of it.
asio::awaitable<void> Calls::add_retained(dumpster::HistoryFound& found, dumpster::HistoryQuery query) {
  std::set<dumpster::Uuid> messages;
  if (query.id) {
    for (const auto& cluster : settings_.clusters) {
      for (const auto& group : cluster.storage_groups) {
        dumpster::StorageGroup name{cluster.name, group.name};
        const auto lines = co_await retained(std::move(name), *query.id);
        for (const auto& line : lines)
          messages.insert(line.message);
      }
    }
  }
  RunningRelay::QueueFilter filter;
  filter.id = query.id;
  filter.message_id = query.message_id;
  filter.recipient = query.recipient;
  std::optional<dumpster::Uuid> after;
  bool more = true;
  while (more && messages.size() < query.most) {
    const auto page = co_await queue_page(filter, after);
    for (const auto& mail : page.mails)
      messages.insert(mail.id);
    after = page.continue_after;
    more = after.has_value();
  }
  for (const auto& message : messages)
    found.messages.push_back({message, {}});
}

asio::awaitable<json::object> Calls::trace_of(dumpster::MessageHistory history) {
  json::object document;
  Names names;
  document["id"] = to_string(history.message);
  for (const auto& event : history.events) {
    if (event.kind != Kind::accepted) continue;
    document["message_id"] = utf8(event.message_id);
    document["sender"] = utf8(event.sender);
    document["size"] = event.size;
    document["accepted_at"] = to_rfc3339(event.at);
    document["origin"] = utf8(event.origin);
    for (std::uint32_t index = 0; index < event.addresses.size(); ++index)
      names[index] = event.addresses[index];
  }
  RunningRelay::QueueFilter filter;
  filter.id = history.message;
  json::array queued;
  std::optional<dumpster::Uuid> before;
  // The page that begins at the message itself: keys are in order.
  auto previous = history.message;
  for (std::size_t i = previous.bytes.size(); i-- > 0;) {
    if (previous.bytes.at(i)-- != 0) break;
  }
  before = previous;
  const auto page = co_await queue_page(filter, before);
  for (const auto& mail : page.mails) {
    auto shown = document_of(mail);
    if (!document.contains("message_id")) {
      for (const auto* name : {"message_id", "sender", "size"})
        document[name] = shown.at(name);
      document["accepted_at"] = shown.at("received_at");
    }
    for (const auto& recipient : mail.recipients)
      names.try_emplace(recipient.index, recipient.address);
    queued = std::move(shown.at("recipients").as_array());
  }
  json::array lines;
  for (const auto& cluster : settings_.clusters) {
    for (const auto& group : cluster.storage_groups) {
      dumpster::StorageGroup name{cluster.name, group.name};
      const auto delivery = dumpster::delivery_id_of(history.message, name.cluster, name.group);
      const auto found = co_await retained(name, delivery);
      for (const auto& line : found) {
        auto shown = document_of(line);
        shown["storage_group"] = name_of(name);
        if (!document.contains("message_id")) document["message_id"] = shown.at("message_id");
        for (const auto& recipient : line.recipients)
          names.try_emplace(recipient.index, recipient.address);
        lines.push_back(std::move(shown));
      }
    }
  }
  document["recipients"] = ends_of(history.events, names);
  json::array events;
  for (const auto& event : history.events)
    events.push_back(document_of(event, names));
  document["events"] = std::move(events);
  document["queued"] = std::move(queued);
  document["retained"] = std::move(lines);
  co_return document;
}

Calls::Answer Calls::trace(Caller /*caller*/, http::Request request, http::Responder& out) {
  const auto query = query_of(request);
  auto found = co_await remembered(query);
  if (found.messages.empty()) {
    co_await add_retained(found, query);
  }
  http::Response head;
  head.content_type = "application/x-ndjson";
  co_await out.begin(std::move(head));
  for (auto& history : found.messages) {
    const auto document = co_await trace_of(std::move(history));
    co_await out.write(json::serialize(document) + "\n");
  }
  json::object last;
  last["count"] = found.messages.size();
  last["complete"] = !found.more;
  last["since"] = found.since ? json::value(to_rfc3339(*found.since)) : json::value(nullptr);
  co_await out.write(json::serialize(last) + "\n");
  co_await out.end();
}

}  // namespace recovery
