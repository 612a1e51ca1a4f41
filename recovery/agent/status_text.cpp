#include "recovery/agent/status_text.hpp"

#include <algorithm>
#include <boost/json.hpp>

#include "recovery/agent/coverage.hpp"

namespace recovery::agent {
namespace {

namespace json = boost::json;

std::string pending_text(const PendingPromote& promote) {
  std::string text = "pending: promote with term " + std::to_string(promote.term) + ", ordered at " +
                     dumpster::to_rfc3339(promote.started) + "\n";
  for (const auto& [address, progress] : promote.hubs) {
    if (progress.filled || progress.given_up) continue;
    text += "  " + address + (progress.activated ? ": to be filled\n" : ": to be activated and filled\n");
  }
  return text;
}

double seconds_of(dumpster::Duration duration) {
  return std::chrono::duration<double>(duration).count();
}

std::string instant_or_dash(Instant instant) {
  return instant == Instant{} ? "-" : dumpster::to_rfc3339(instant).substr(0, 19) + "Z";
}

std::string size_text(std::uint64_t bytes) {
  constexpr const char* units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
  std::size_t unit = 0;
  for (; bytes >= 10 * 1024 && unit < 4; ++unit)
    bytes /= 1024;
  return std::to_string(bytes) + " " + units[unit];
}

json::object dumpster_object(const DumpsterView& view) {
  json::object object{{"hub", view.hub},
                      {"storage_group", view.group.name},
                      {"active", view.active},
                      {"term", view.term},
                      {"messages", view.group.messages},
                      {"bytes", view.group.bytes},
                      {"in_doubt", view.group.in_doubt}};
  if (view.group.oldest) object["oldest"] = dumpster::to_rfc3339(*view.group.oldest);
  if (!view.followed) return object;
  object["unconfirmed"] = view.followed->unconfirmed;
  object["replication_lag_seconds"] = seconds_of(view.lag.value_or(dumpster::Duration::zero()));
  object["oldest_unconfirmed"] = dumpster::to_rfc3339(view.followed->low);
  if (view.followed->last_confirmed != Instant{})
    object["last_confirmed"] = dumpster::to_rfc3339(view.followed->last_confirmed);
  return object;
}

/// The longest lag of a storage group over all hubs.
std::string groups_text(const StatusReport& status) {
  std::map<std::string, std::vector<const DumpsterView*>> groups;
  for (const DumpsterView& view : status.dumpsters)
    groups[view.group.name].push_back(&view);
  std::string text;
  for (const auto& [name, views] : groups) {
    text += "storage group " + name;
    std::optional<double> lag;
    Instant confirmed{};
    for (const DumpsterView* view : views) {
      if (view->lag) lag = std::max(lag.value_or(0), seconds_of(*view->lag));
      if (view->followed) confirmed = std::max(confirmed, view->followed->last_confirmed);
    }
    text += lag ? ": replication lag " + std::to_string(static_cast<std::uint64_t>(*lag)) +
                      " s, last confirmed " + instant_or_dash(confirmed) + "\n"
                : ": not followed by `watch`\n";
    for (const DumpsterView* view : views) {
      text += "  " + view->hub + ": " + std::to_string(view->group.messages) + " messages, " +
              size_text(view->group.bytes) + ", oldest " +
              instant_or_dash(view->group.oldest.value_or(Instant{})) + ", " +
              std::to_string(view->group.in_doubt) + " in doubt";
      if (view->followed) text += ", " + std::to_string(view->followed->unconfirmed) + " unconfirmed";
      text += "; term " + std::to_string(view->term) + ", " + view->active + " active\n";
    }
  }
  return text;
}

}  // namespace

std::string to_json(const StatusReport& status) {
  json::array dumpsters;
  for (const DumpsterView& view : status.dumpsters)
    dumpsters.push_back(dumpster_object(view));
  json::object object{
      {"cluster", status.report.cluster},           {"node", status.report.node},
      {"role", to_string(status.state.role)},       {"highest_term", status.report.term},
      {"exit_status", status.report.exit_status()}, {"standing_aside", !status.aside.empty()},
      {"dumpsters", std::move(dumpsters)},          {"notes", json::value_from(status.report.notes)}};
  if (!status.aside.empty()) object["aside"] = status.aside;
  if (!status.report.error.empty()) object["error"] = status.report.error;
  json::object troubles;
  for (const HubReport& hub : status.report.hubs) {
    if (!hub.trouble.empty()) troubles[hub.address] = hub.trouble;
  }
  object["troubles"] = std::move(troubles);
  json::object never_asked;
  for (const auto& [address, never] : status.state.never_asked)
    never_asked[address] = why_never_asked(never);
  object["never_asked"] = std::move(never_asked);
  object["orders_pending"] = status.state.orders.size();
  if (status.state.promote) {
    json::array hubs;
    for (const auto& [address, progress] : status.state.promote->hubs) {
      hubs.push_back({{"hub", address}, {"activated", progress.activated}, {"filled", progress.filled}});
    }
    object["pending"] = {{"term", status.state.promote->term},
                         {"started", dumpster::to_rfc3339(status.state.promote->started)},
                         {"hubs", std::move(hubs)}};
  }
  return json::serialize(object);
}

std::string to_text(const StatusReport& status) {
  std::string text = status.report.cluster + "/" + status.report.node + ": " +
                     std::string{to_string(status.state.role)} + ", highest term seen " +
                     std::to_string(status.report.term) + "\n";
  if (!status.aside.empty())
    text += "STANDS ASIDE, though a hub calls this node active: " + status.aside + "\n";
  if (status.state.promote) text += pending_text(*status.state.promote);
  if (!status.state.orders.empty())
    text += "redelivery pending: " + std::to_string(status.state.orders.size()) + " requests\n";
  for (const auto& [address, never] : status.state.never_asked)
    text += "NEVER ASKED " + address + ": " + why_never_asked(never) + "\n";
  text += groups_text(status);
  for (const HubReport& hub : status.report.hubs) {
    if (!hub.trouble.empty()) text += hub.address + ": not available: " + hub.trouble + "\n";
  }
  for (const std::string& note : status.report.notes)
    text += "note: " + note + "\n";
  if (!status.report.error.empty()) text += "error: " + status.report.error + "\n";
  return text;
}

}  // namespace recovery::agent
