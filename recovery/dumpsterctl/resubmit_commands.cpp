#include "recovery/dumpsterctl/resubmit_commands.hpp"

#include <unistd.h>

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <chrono>
#include <iostream>
#include <sstream>
#include <thread>

#include "dumpster/uuid.hpp"
#include "recovery/dumpsterctl/answers.hpp"
#include "recovery/dumpsterctl/times.hpp"
#include "recovery/dumpsterctl/views.hpp"

namespace recovery::dumpsterctl {
namespace {

namespace json = boost::json;

constexpr int fine = 0;
constexpr int some_failed = 4;
constexpr std::chrono::milliseconds look_every{500};
// The hub takes what there is now. Not `now`: the same key has to come with the same request.
constexpr std::string_view end_of_time = "2200-01-01T00:00:00.000000Z";

std::string path_of(const std::string& id) {
  return "/v1/resubmissions/" + escaped(id);
}

std::string request_of(const ResubmitOptions& options) {
  const bool narrowed = !options.recipient.empty() || !options.message_id.empty();
  const bool window = options.all || !options.from.empty() || !options.until.empty();
  if (!window && !narrowed && options.deliveries.empty())
    throw CommandFault{"say what: --from and --until, --recipient, --message-id, --delivery, or --all"};
  const auto now = dumpster::system_clock().now();
  json::object request;
  request["key"] = options.key.empty() ? "dumpsterctl-" + to_string(dumpster::new_uuid(now)) : options.key;
  request["from"] =
      options.from.empty() ? dumpster::to_rfc3339(dumpster::Instant{}) : instant_argument(options.from, now);
  request["until"] = options.until.empty() ? std::string{end_of_time} : instant_argument(options.until, now);
  if (!options.recipient.empty()) request["recipient"] = options.recipient;
  if (!options.message_id.empty()) request["message_id"] = options.message_id;
  if (!options.deliveries.empty()) {
    json::array list;
    for (const auto& id : options.deliveries)
      list.push_back(json::object{{"delivery_id", id}});
    request["deliveries"] = std::move(list);
  }
  return json::serialize(request);
}

bool is_over(const json::object& resubmission) {
  const auto& state = resubmission.at("state").as_string();
  return state == "completed" || state == "cancelled";
}

int status_of(const json::object& resubmission) {
  return is_over(resubmission) && (resubmission.at("failed") != 0 || resubmission.at("state") == "cancelled")
             ? some_failed
             : fine;
}

/// Until it is over. A person sees how far it is, in one line.
json::object wait_for(const AdminClient& hub, const std::string& id) {
  const bool terminal = ::isatty(STDERR_FILENO) == 1;
  while (true) {
    auto resubmission = object_from(text_or_fault(hub.get(path_of(id))));
    if (terminal) std::cerr << '\r' << progress_line(resubmission) << std::flush;
    if (is_over(resubmission)) {
      if (terminal) std::cerr << '\n';
      return resubmission;
    }
    std::this_thread::sleep_for(look_every);
  }
}

int add(const ResubmitOptions& options, const AdminClient& hub, bool as_json) {
  auto path = path_of_group(options.group) + "/resubmissions";
  if (options.dry_run) path += "?dry_run=true";
  const auto text = text_or_fault(hub.post(path, request_of(options)));
  const auto answer = object_from(text);
  if (options.dry_run || !options.wait) {
    std::cout << (as_json ? text : options.dry_run ? preview_view(answer) : accepted_view(answer));
    return fine;
  }
  const auto over = wait_for(hub, std::string{answer.at("id").as_string()});
  std::cout << (as_json ? json::serialize(over) + "\n" : resubmission_view(over));
  return status_of(over);
}

int list(const ResubmitOptions& /*options*/, const AdminClient& hub, bool as_json) {
  const auto text = text_or_fault(hub.get("/v1/resubmissions"));
  json::array all;
  std::istringstream in{text};
  for (std::string line; std::getline(in, line);)
    all.push_back(object_from(line));
  std::cout << (as_json ? text : resubmissions_view(all));
  return fine;
}

int show(const ResubmitOptions& options, const AdminClient& hub, bool as_json) {
  const auto found =
      options.wait ? wait_for(hub, options.id) : object_from(text_or_fault(hub.get(path_of(options.id))));
  std::cout << (as_json ? json::serialize(found) + "\n" : resubmission_view(found));
  return options.wait ? status_of(found) : fine;
}

int cancel(const ResubmitOptions& options, const AdminClient& hub, bool as_json) {
  const auto text = text_or_fault(hub.remove(path_of(options.id)));
  std::cout << (as_json ? text : resubmission_view(object_from(text)));
  return fine;
}

}  // namespace

void add_resubmit_commands(CLI::App& app, ResubmitOptions& options,
                           std::function<void(std::function<int(const AdminClient&, bool json)>)> choose) {
  auto* resubmit = app.add_subcommand("resubmit", "delivers retained mail again")->require_subcommand(1);
  using Command = int (*)(const ResubmitOptions&, const AdminClient&, bool);
  const auto make = [&](const char* name, const char* what, Command command) {
    auto* made = resubmit->add_subcommand(name, what);
    made->callback([&options, choose, command] {
      choose([&options, command](const AdminClient& hub, bool as_json) {
        return command(options, hub, as_json);
      });
    });
    return made;
  };
  auto* added = make("add", "asks for it; to the active node of its cluster, behind fresh mail", &add);
  added->add_option("group", options.group, "CLUSTER/GROUP")->required();
  added->add_option("--from", options.from, "delivered from this instant (RFC 3339) or age (2h) on");
  added->add_option("--until", options.until, "and before this instant or age; default: now");
  added->add_flag("--all", options.all, "everything that is retained");
  added->add_option("--recipient", options.recipient, "only for this address or mailbox");
  added->add_option("--message-id", options.message_id, "only with this Message-ID");
  added->add_option("--delivery", options.deliveries, "only the delivery with this id; may be repeated");
  added->add_option("--key", options.key, "the same key with the same instants is the same resubmission");
  added->add_flag("--dry-run", options.dry_run, "only say what would be resubmitted");
  added->add_flag("--wait", options.wait, "until it is over");
  make("list", "all resubmissions, oldest first", &list);
  auto* shown = make("show", "one resubmission", &show);
  shown->add_option("id", options.id, "id of the resubmission")->required();
  shown->add_flag("--wait", options.wait, "until it is over");
  make("cancel", "cancels what has not been delivered yet", &cancel)
      ->add_option("id", options.id, "id of the resubmission")
      ->required();
}

}  // namespace recovery::dumpsterctl
