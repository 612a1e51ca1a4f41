#include "recovery/agent/report.hpp"

#include <algorithm>
#include <boost/json.hpp>
#include <string_view>
#include <utility>

namespace recovery::agent {
namespace {

namespace json = boost::json;

struct Count {
  std::string_view name;
  std::string_view words;
  std::size_t HubReport::*value;
};

constexpr Count counts[] = {
    {"listed", "listed", &HubReport::listed},
    {"present", "present", &HubReport::present},
    {"in_doubt_settled", "in doubt settled", &HubReport::in_doubt_settled},
    {"resubmitted", "resubmitted", &HubReport::resubmitted},
    {"delivered", "delivered", &HubReport::delivered},
    {"failed", "failed", &HubReport::failed},
    {"waiting", "waiting", &HubReport::waiting},
    {"missing", "missing", &HubReport::missing},
    {"unknown", "not looked at", &HubReport::unknown},
};

HubReport total_of(const Report& report) {
  HubReport total;
  for (const HubReport& hub : report.hubs) {
    for (const Count& count : counts)
      total.*count.value += hub.*count.value;
  }
  return total;
}

json::object counts_of(const HubReport& hub) {
  json::object object;
  for (const Count& count : counts)
    object[count.name] = hub.*count.value;
  return object;
}

std::string counts_text(const HubReport& hub) {
  std::string text;
  for (const Count& count : counts) {
    if (!text.empty()) text += ", ";
    text += std::string{count.words} + " " + std::to_string(hub.*count.value);
  }
  return text;
}

json::object hub_object(const HubReport& hub) {
  json::object object{{"hub", hub.address},   {"reached", hub.reached}, {"activated", hub.activated},
                      {"filled", hub.filled}, {"covered", hub.covered}, {"remembered", hub.remembered}};
  for (const auto& entry : counts_of(hub))
    object[entry.key()] = entry.value();
  if (!hub.trouble.empty()) object["trouble"] = hub.trouble;
  if (!hub.coverage.empty()) object["coverage"] = hub.coverage;
  return object;
}

json::object item_object(const FilledItem& item) {
  return {{"hub", item.hub},
          {"storage_group", item.group},
          {"delivery_id", item.delivery_id},
          {"message_id", item.message_id},
          {"outcome", item.outcome},
          {"reason", item.reason},
          {"recipients", json::value_from(item.recipients)}};
}

std::string hub_text(const HubReport& hub) {
  std::string text = hub.address + ": " + counts_text(hub);
  if (!hub.coverage.empty()) text += "; NOT COVERED: " + hub.coverage;
  if (!hub.trouble.empty()) text += "; " + hub.trouble;
  if (hub.remembered) text += " (remembered: finish with `fill`)";
  return text + "\n";
}

template <class Test>
bool any_hub(const Report& report, Test test) {
  return std::any_of(report.hubs.begin(), report.hubs.end(), test);
}

}  // namespace

int Report::exit_status() const {
  if (!conflict.empty()) return 5;
  if (!error.empty() || any_hub(*this, [](const HubReport& hub) { return hub.failed_call; })) return 1;
  if (any_hub(*this,
              [](const HubReport& hub) { return hub.failed + hub.waiting + hub.missing + hub.unknown > 0; }))
    return 4;
  if (any_hub(*this, [](const HubReport& hub) { return !hub.covered; })) return 3;
  if (any_hub(*this, [](const HubReport& hub) { return !hub.trouble.empty(); })) return 2;
  return 0;
}

std::string to_json(const Report& report) {
  json::array hubs;
  for (const HubReport& hub : report.hubs)
    hubs.push_back(hub_object(hub));
  json::object object{{"operation", report.operation},
                      {"cluster", report.cluster},
                      {"node", report.node},
                      {"term", report.term},
                      {"dry_run", report.dry_run},
                      {"unfenced", report.unfenced},
                      {"exit_status", report.exit_status()},
                      {"hubs", std::move(hubs)},
                      {"total", counts_of(total_of(report))},
                      {"notes", json::value_from(report.notes)}};
  if (!report.error.empty()) object["error"] = report.error;
  if (!report.conflict.empty()) object["conflict"] = report.conflict;
  if (report.dry_run) {
    json::array planned;
    for (const FilledItem& item : report.items)
      planned.push_back(item_object(item));
    object["planned"] = std::move(planned);
  }
  return json::serialize(object);
}

std::string items_to_lines(const Report& report) {
  std::string lines;
  for (const FilledItem& item : report.items)
    lines += json::serialize(item_object(item)) + "\n";
  return lines;
}

std::string to_text(const Report& report) {
  std::string text = report.operation + " " + report.cluster + "/" + report.node + ", term " +
                     std::to_string(report.term) + (report.dry_run ? ", dry run" : "") + "\n";
  for (const FilledItem& item : report.items) {
    if (!report.dry_run) break;
    text += "would " + item.outcome + " " + item.delivery_id + " of " + item.hub + " " + item.group + ":";
    for (const std::string& recipient : item.recipients)
      text += " " + recipient;
    text += "\n";
  }
  for (const HubReport& hub : report.hubs)
    text += hub_text(hub);
  if (!report.hubs.empty()) text += "total: " + counts_text(total_of(report)) + "\n";
  for (const std::string& note : report.notes)
    text += "note: " + note + "\n";
  if (report.unfenced)
    text += "unfenced: no quiesce command proves that nothing arrives from the old active node any more\n";
  if (!report.conflict.empty()) text += "conflict: " + report.conflict + "\n";
  if (!report.error.empty()) text += "error: " + report.error + "\n";
  return text;
}

}  // namespace recovery::agent
