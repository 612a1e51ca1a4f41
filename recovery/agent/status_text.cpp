#include "recovery/agent/status_text.hpp"

#include <boost/json.hpp>

namespace recovery::agent {
namespace {

namespace json = boost::json;

std::string pending_text(const PendingPromote& promote) {
  std::string text = "pending: promote with term " + std::to_string(promote.term) + ", ordered at " +
                     dumpster::to_rfc3339(promote.started) + "\n";
  for (const auto& [address, progress] : promote.hubs) {
    if (progress.filled) continue;
    text += "  " + address + (progress.activated ? ": to be filled\n" : ": to be activated and filled\n");
  }
  return text;
}

}  // namespace

std::string to_json(const StatusReport& status) {
  json::object object{
      {"cluster", status.report.cluster},           {"node", status.report.node},
      {"role", to_string(status.state.role)},       {"highest_term", status.state.highest_term},
      {"exit_status", status.report.exit_status()}, {"hubs", json::value_from(status.clusters)}};
  if (!status.report.error.empty()) object["error"] = status.report.error;
  json::object troubles;
  for (const HubReport& hub : status.report.hubs) {
    if (!hub.trouble.empty()) troubles[hub.address] = hub.trouble;
  }
  object["troubles"] = std::move(troubles);
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
  if (status.state.promote) text += pending_text(*status.state.promote);
  for (const std::string& line : status.clusters)
    text += line + "\n";
  for (const HubReport& hub : status.report.hubs) {
    if (!hub.trouble.empty()) text += hub.address + ": " + hub.trouble + "\n";
  }
  if (!status.report.error.empty()) text += "error: " + status.report.error + "\n";
  return text;
}

}  // namespace recovery::agent
