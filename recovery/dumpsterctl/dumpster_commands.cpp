#include "recovery/dumpsterctl/dumpster_commands.hpp"

#include <boost/json/serialize.hpp>
#include <filesystem>
#include <fstream>
#include <iostream>

#include "recovery/dumpsterctl/answers.hpp"
#include "recovery/dumpsterctl/times.hpp"
#include "recovery/dumpsterctl/views.hpp"

namespace recovery::dumpsterctl {
namespace {

namespace json = boost::json;

constexpr std::chrono::hours longest_job{24};

std::string path_of(const DumpsterOptions& options) {
  return path_of_group(options.group);
}

std::string window_of(const DumpsterOptions& options) {
  const auto now = dumpster::system_clock().now();
  std::string query;
  const auto add = [&](const std::string& name, const std::string& value) {
    query += (query.empty() ? '?' : '&') + name + '=' + escaped(value);
  };
  if (!options.from.empty()) add("from", instant_argument(options.from, now));
  if (!options.until.empty()) add("until", instant_argument(options.until, now));
  if (!options.state.empty()) add("state", options.state);
  return query;
}

int show(const DumpsterOptions& options, const AdminClient& hub, bool as_json) {
  auto path = path_of(options) + "/sizing";
  if (!options.cover.empty()) path += "?cover_seconds=" + std::to_string(seconds_argument(options.cover));
  const auto text = text_or_fault(hub.get(path));
  std::cout << (as_json ? text : sizing_view(options.group, object_from(text)));
  return 0;
}

/// The lines of a listing; the last one is about the listing itself.
std::vector<json::object> listing_of(const std::string& text) {
  auto lines = objects_from(text);
  if (lines.empty() || !lines.back().contains("complete"))
    throw CommandFault{"the hub's answer is not whole"};
  return lines;
}

int list(const DumpsterOptions& options, const AdminClient& hub, bool as_json) {
  const auto text = text_or_fault(hub.get(path_of(options) + "/deliveries" + window_of(options)));
  const auto lines = listing_of(text);
  std::cout << (as_json ? text : deliveries_view(lines));
  return 0;
}

int purge(const DumpsterOptions& options, const AdminClient& hub, bool as_json) {
  const bool window = options.all || !options.from.empty() || !options.until.empty();
  if (window == !options.delivery.empty())
    throw CommandFault{"say what is to go: --delivery ID, --from and --until, or --all"};
  auto path = path_of(options) + "/deliveries";
  if (!options.delivery.empty()) path += '/' + escaped(options.delivery);
  auto query = window_of(options);
  if (!options.yes) query += std::string{query.empty() ? "?" : "&"} + "dry_run=true";
  const auto text = text_or_fault(hub.remove(path + query));
  std::cout << (as_json ? text : purge_view(object_from(text)));
  return 0;
}

bool is_for(const json::object& line, const std::string& recipient) {
  if (recipient.empty()) return true;
  for (const auto& one : line.at("recipients").as_array()) {
    if (one.as_object().at("address").as_string() == recipient) return true;
  }
  return false;
}

/// One file a delivery, named by its id; what is there already is left alone.
int save(const DumpsterOptions& options, const AdminClient& hub, bool as_json) {
  std::error_code error;
  std::filesystem::create_directories(options.folder, error);
  if (error) throw CommandFault{"cannot create " + options.folder + ": " + error.message()};
  const auto base = path_of(options) + "/deliveries";
  auto lines = listing_of(text_or_fault(hub.get(base + window_of(options))));
  lines.pop_back();
  std::uint64_t saved = 0;
  std::uint64_t there = 0;
  for (const auto& line : lines) {
    const std::string id{line.at("delivery_id").as_string()};
    if (!is_for(line, options.recipient) || (!options.delivery.empty() && options.delivery != id)) continue;
    const auto file = std::filesystem::path{options.folder} / (id + ".eml");
    if (std::filesystem::exists(file)) {
      ++there;
      continue;
    }
    const auto bytes = text_or_fault(hub.get(base + '/' + id + "/message"));
    const auto fresh = file.string() + ".part";
    std::ofstream out{fresh, std::ios::binary | std::ios::trunc};
    out << bytes;
    out.close();
    if (!out) throw CommandFault{"cannot write " + fresh};
    std::filesystem::rename(fresh, file);
    ++saved;
  }
  const json::object result{{"saved", saved}, {"already_there", there}};
  if (as_json) {
    std::cout << json::serialize(result) << '\n';
  } else {
    std::cout << saved << " saved in " << options.folder << ", " << there << " were there\n";
  }
  return 0;
}

int backup(const DumpsterOptions& options, const AdminClient& hub, bool as_json) {
  const json::object request{{"directory", std::filesystem::absolute(options.folder).string()}};
  const auto text = text_or_fault(hub.post("/v1/backup", json::serialize(request), longest_job));
  std::cout << (as_json ? text : backup_view(object_from(text)));
  return 0;
}

int verify(const AdminClient& hub, bool as_json) {
  const auto text = text_or_fault(hub.post("/v1/verification", "", longest_job));
  const auto found = object_from(text);
  std::cout << (as_json ? text : verification_view(found));
  return found.at("sound").as_bool() ? 0 : 1;
}

}  // namespace

void add_dumpster_commands(CLI::App& app, DumpsterOptions& options,
                           std::function<void(std::function<int(const AdminClient&, bool json)>)> choose) {
  auto* dumpster =
      app.add_subcommand("dumpster", "what is retained for a storage group")->require_subcommand(1);
  using Command = int (*)(const DumpsterOptions&, const AdminClient&, bool);
  const auto add = [&](const char* name, const char* what, Command command) {
    auto* added = dumpster->add_subcommand(name, what);
    added->add_option("group", options.group, "CLUSTER/GROUP")->required();
    added->callback([&options, choose, command] {
      choose([&options, command](const AdminClient& hub, bool as_json) {
        return command(options, hub, as_json);
      });
    });
    return added;
  };
  auto* copied =
      dumpster->add_subcommand("backup", "copies the whole store, spool included, while mail flows");
  copied->add_option("folder", options.folder, "where to; the hub makes it")->required();
  copied->callback([&options, choose] {
    choose([&options](const AdminClient& hub, bool as_json) { return backup(options, hub, as_json); });
  });
  auto* verified = dumpster->add_subcommand("verify", "checks the whole store while mail flows");
  verified->callback(
      [choose] { choose([](const AdminClient& hub, bool as_json) { return verify(hub, as_json); }); });
  const auto add_window = [&](CLI::App* command) {
    command->add_option("--from", options.from, "from this instant (RFC 3339) or age (2h) on");
    command->add_option("--until", options.until, "before this instant or age");
  };
  auto* shown = add("show", "how far back it reaches, and what size would reach further", &show);
  shown->add_option("--cover", options.cover, "the time that should be covered, e.g. 12h; default: max_time");
  auto* listed = add("list", "its deliveries, oldest first", &list);
  add_window(listed);
  listed->add_option("--state", options.state, "delivered, in_doubt, absent, resubmitting or failed");
  auto* purged = add("purge", "removes deliveries; without --yes it only says what would go", &purge);
  add_window(purged);
  purged->add_flag("--all", options.all, "everything until now");
  purged->add_option("--delivery", options.delivery, "the one with this id");
  purged->add_flag("--yes", options.yes, "do it");
  auto* saved = add("export", "writes retained messages to files", &save);
  saved->add_option("folder", options.folder, "where to; one .eml a delivery")->required();
  add_window(saved);
  saved->add_option("--delivery", options.delivery, "the one with this id");
  saved->add_option("--recipient", options.recipient, "those for this address");
}

}  // namespace recovery::dumpsterctl
