#include "recovery/dumpsterctl/queue_commands.hpp"

#include <CLI/CLI.hpp>
#include <boost/json/serialize.hpp>
#include <iostream>

#include "dumpster/uuid.hpp"
#include "recovery/dumpsterctl/answers.hpp"
#include "recovery/dumpsterctl/queue_views.hpp"
#include "recovery/dumpsterctl/times.hpp"

namespace recovery::dumpsterctl {
namespace {

namespace json = boost::json;

constexpr int fine = 0;
constexpr int nothing_fits = 3;

/// Members of a filter, as the hub takes them in a query and in a body.
json::object filter_of(const QueueOptions& options) {
  json::object filter;
  const auto add = [&](const char* name, const std::string& value) {
    if (!value.empty()) filter[name] = value;
  };
  add("id", options.id);
  add("message_id", options.message_id);
  add("recipient", options.recipient);
  add("sender", options.sender);
  add("destination", options.destination);
  if (!options.older_than.empty())
    filter["received_before"] = instant_argument(options.older_than, dumpster::system_clock().now());
  return filter;
}

std::string query_from(const json::object& members) {
  std::string query;
  for (const auto& member : members) {
    query += query.empty() ? '?' : '&';
    query += std::string{member.key()} + '=' + escaped(std::string{member.value().as_string()});
  }
  return query;
}

/// The lines of a list; the last one is about the list itself.
std::vector<json::object> list_of(const std::string& text) {
  auto lines = objects_from(text);
  if (lines.empty() || !lines.back().contains("complete"))
    throw CommandFault{"the hub's answer is not whole"};
  return lines;
}

int list(const QueueOptions& options, const AdminClient& hub, bool as_json) {
  auto members = filter_of(options);
  members["limit"] = std::to_string(options.limit);
  if (options.held) members["held"] = "true";
  const auto text = text_or_fault(hub.get("/v1/queue" + query_from(members)));
  const auto lines = list_of(text);
  std::cout << (as_json ? text : queue_view(lines, dumpster::system_clock().now()));
  return fine;
}

int show(const QueueOptions& options, const AdminClient& hub, bool as_json) {
  const auto text = text_or_fault(hub.get("/v1/queue" + query_from({{"id", options.id}})));
  const auto lines = list_of(text);
  if (lines.size() == 1) {
    std::cerr << "dumpsterctl: not in the queue: " << options.id
              << " (what became of it: dumpsterctl trace)\n";
    return nothing_fits;
  }
  std::cout << (as_json ? text.substr(0, text.find('\n') + 1) : queued_mail_view(lines.front()));
  return fine;
}

int change(const QueueOptions& options, const AdminClient& hub, bool as_json, const std::string& action,
           bool dry_run) {
  auto order = filter_of(options);
  if (options.all) order["all"] = true;
  if (dry_run) order["dry_run"] = true;
  const auto text = text_or_fault(hub.post("/v1/queue/" + action, json::serialize(order)));
  const auto changed = object_from(text);
  std::cout << (as_json ? text : queue_change_view(action, changed));
  return changed.at("messages").to_number<std::uint64_t>() == 0 ? nothing_fits : fine;
}

int hold(const QueueOptions& options, const AdminClient& hub, bool as_json) {
  return change(options, hub, as_json, "hold", false);
}
int release(const QueueOptions& options, const AdminClient& hub, bool as_json) {
  return change(options, hub, as_json, "release", false);
}
int retry(const QueueOptions& options, const AdminClient& hub, bool as_json) {
  return change(options, hub, as_json, "retry", false);
}
int remove(const QueueOptions& options, const AdminClient& hub, bool as_json) {
  return change(options, hub, as_json, "delete", !options.yes);
}

/// A UUID is an id, what else has brackets is a Message-ID. An address may be a recipient or a Message-ID
/// without its brackets: whoever asks does not have to know.
int trace(const QueueOptions& options, const AdminClient& hub, bool as_json) {
  const auto ask = [&](const char* name) {
    return text_or_fault(hub.get("/v1/trace" + query_from({{name, options.what}})));
  };
  std::string text;
  if (dumpster::uuid_from(options.what)) {
    text = ask("id");
  } else if (options.what.starts_with('<')) {
    text = ask("message_id");
  } else {
    text = ask("recipient");
    if (list_of(text).size() == 1) text = ask("message_id");
  }
  const auto lines = list_of(text);
  if (lines.size() == 1) {
    std::cerr << "dumpsterctl: " << trace_nothing_view(options.what, lines.back());
    return nothing_fits;
  }
  std::cout << (as_json ? text : trace_view(lines));
  return fine;
}

void add_filter(CLI::App* command, QueueOptions& options) {
  command->add_option("--id", options.id, "of a message or of its delivery");
  command->add_option("--message-id", options.message_id, "with or without angle brackets");
  command->add_option("--recipient", options.recipient, "address");
  command->add_option("--sender", options.sender, "address; <> for notifications");
  command->add_option("--destination", options.destination,
                      "CLUSTER, CLUSTER/GROUP, a next hop or smarthost");
  command->add_option("--older-than", options.older_than,
                      "accepted longer ago than this (2h), or before an instant");
}

}  // namespace

void add_queue_commands(CLI::App& app, QueueOptions& options,
                        std::function<void(std::function<int(const AdminClient&, bool json)>)> choose) {
  using Command = int (*)(const QueueOptions&, const AdminClient&, bool);
  const auto bind = [&options, choose](CLI::App* added, Command command) {
    added->callback([&options, choose, command] {
      choose([&options, command](const AdminClient& hub, bool as_json) {
        return command(options, hub, as_json);
      });
    });
    return added;
  };
  auto* queue = app.add_subcommand("queue", "mail that is not settled yet")->require_subcommand(1);
  auto* listed = bind(queue->add_subcommand("list", "what waits, oldest first"), &list);
  add_filter(listed, options);
  listed->add_flag("--held", options.held, "only what an operator holds");
  listed->add_option("--limit", options.limit, "messages")
      ->capture_default_str()
      ->check(CLI::Range(1, 1'000'000));
  auto* shown = bind(queue->add_subcommand("show", "one message: who waits, where, and why"), &show);
  shown->add_option("id", options.id, "of the message or of its delivery")->required();
  const auto add_change = [&](const char* name, const char* what, Command command) {
    auto* changed = bind(queue->add_subcommand(name, what), command);
    add_filter(changed, options);
    changed->add_flag("--all", options.all, "everything in the queue");
    return changed;
  };
  add_change("hold", "does not try it until released, over a restart, too", &hold);
  add_change("release", "ends a hold", &release);
  add_change("retry", "tries it now and probes its destination; what is in doubt still waits", &retry);
  auto* removed = add_change(
      "delete", "takes it out and tells nobody; without --yes it only says what would go", &remove);
  removed->add_flag("--yes", options.yes, "do it");
  auto* traced = bind(app.add_subcommand("trace", "the whole life of a message"), &trace);
  traced->add_option("what", options.what, "id of a message or delivery, Message-ID, or recipient")
      ->required();
}

}  // namespace recovery::dumpsterctl
