#include "recovery/dumpsterctl/views.hpp"

#include <algorithm>
#include <boost/json/serialize.hpp>

#include "recovery/dumpsterctl/document_text.hpp"

namespace recovery::dumpsterctl {
namespace {

namespace json = boost::json;
using Align = Table::Column::Align;

/// The objects in a member that is a list of them.
std::vector<const json::object*> objects_of(const json::object& object, std::string_view name) {
  std::vector<const json::object*> list;
  const auto* value = object.if_contains(name);
  if (value == nullptr || !value->is_array()) return list;
  for (const auto& one : value->get_array()) {
    if (one.is_object()) list.push_back(&one.get_object());
  }
  return list;
}

Table groups_table() {
  return Table{{{"STORAGE GROUP", 20},
                {"MESSAGES", 10, Align::right},
                {"SIZE", 10, Align::right},
                {"IN DOUBT", 8, Align::right},
                {"COVERED FROM (UTC)", 19}}};
}

void add_groups(Table& table, const json::object& cluster) {
  for (const auto* group : objects_of(cluster, "storage_groups")) {
    table.add({text_of(cluster, "cluster") + "/" + text_of(*group, "name"), text_of(*group, "messages"),
               size_of(*group, "bytes"), text_of(*group, "in_doubt"), instant_of(*group, "covered_from")});
  }
}

Table resubmissions_table() {
  return Table{{{"RESUBMISSION", 36},
                {"STATE", 9},
                {"MATCHED", 9, Align::right},
                {"DELIVERED", 9, Align::right},
                {"FAILED", 7, Align::right}}};
}

void add_resubmission(Table& table, const json::object& one) {
  table.add({text_of(one, "id"), text_of(one, "state"), text_of(one, "matched"), text_of(one, "delivered"),
             text_of(one, "failed")});
}

std::string clusters_part(const json::object& status) {
  Table clusters{
      {{"CLUSTER", 20}, {"ACTIVE", 16}, {"TERM", 10, Align::right}, {"KIND", 8}, {"AGENT SEEN (UTC)", 18}}};
  auto groups = groups_table();
  for (const auto* cluster : objects_of(status, "clusters")) {
    clusters.add({text_of(*cluster, "cluster"), text_of(*cluster, "active"), text_of(*cluster, "term"),
                  text_of(*cluster, "kind"), instant_of(*cluster, "agent_seen")});
    add_groups(groups, *cluster);
  }
  if (clusters.empty()) return {};
  return "\n" + clusters.text() + "\n" + groups.text();
}

std::string destinations_part(const json::object& status) {
  Table table{{{"DESTINATION", 28},
               {"QUEUED", 7, Align::right},
               {"IN FLIGHT", 9, Align::right},
               {"IN DOUBT", 8, Align::right},
               {"LAST ERROR", 20}}};
  for (const auto* one : objects_of(status, "destinations")) {
    table.add({text_of(*one, "route"), text_of(*one, "queued"), text_of(*one, "in_flight"),
               text_of(*one, "held_in_doubt"), text_of(*one, "last_error")});
  }
  return table.empty() ? std::string{} : "\n" + table.text();
}

}  // namespace

bool accepts_mail(const json::object& status) {
  const auto* accepting = status.if_contains("accepting");
  return accepting != nullptr && accepting->is_bool() && accepting->get_bool();
}

std::string status_view(const json::object& status) {
  std::string spool = "-";
  const auto* totals = status.if_contains("spool");
  if (totals != nullptr && totals->is_object()) {
    const auto& of = totals->get_object();
    spool = text_of(of, "messages") + " messages, " + size_of(of, "bytes");
    if (text_of(of, "oldest") != "-") spool += ", oldest " + instant_of(of, "oldest");
  }
  auto text = named_lines({{"hub", text_of(status, "hub")},
                           {"version", text_of(status, "version")},
                           {"started (UTC)", instant_of(status, "started_at")},
                           {"accepts mail", accepts_mail(status) ? "yes" : "NO"},
                           {"store writable", text_of(status, "writable")},
                           {"spool", spool}});
  text += clusters_part(status);
  text += destinations_part(status);
  auto running = resubmissions_table();
  for (const auto* one : objects_of(status, "resubmissions"))
    add_resubmission(running, *one);
  if (!running.empty()) text += "\n" + running.text();
  return text;
}

std::string cluster_view(const json::object& cluster) {
  std::string nodes;
  const auto* list = cluster.if_contains("nodes");
  if (list != nullptr && list->is_array()) {
    for (const auto& node : list->get_array()) {
      if (!nodes.empty()) nodes += ", ";
      if (node.is_string()) nodes += std::string{node.get_string()};
    }
  }
  auto groups = groups_table();
  add_groups(groups, cluster);
  return named_lines({{"cluster", text_of(cluster, "cluster")},
                      {"nodes", nodes},
                      {"active", text_of(cluster, "active")},
                      {"term", text_of(cluster, "term")},
                      {"kind", text_of(cluster, "kind")},
                      {"held until", instant_of(cluster, "held_until")},
                      {"recovered", text_of(cluster, "recovered")},
                      {"agent seen", instant_of(cluster, "agent_seen")}}) +
         "\n" + groups.text();
}

std::string resubmissions_view(const json::array& list) {
  auto table = resubmissions_table();
  for (const auto& one : list) {
    if (one.is_object()) add_resubmission(table, one.get_object());
  }
  return table.empty() ? "no resubmissions\n" : table.text();
}

std::string resubmission_view(const json::object& one) {
  const auto* paused = one.if_contains("paused_because");
  const auto reason = paused == nullptr ? std::string{} : " (" + text_of(one, "paused_because") + ")";
  return named_lines({{"id", text_of(one, "id")},
                      {"key", text_of(one, "key")},
                      {"storage group", text_of(one, "storage_group")},
                      {"term", text_of(one, "term")},
                      {"state", text_of(one, "state") + reason},
                      {"created (UTC)", instant_of(one, "created_at")},
                      {"from (UTC)", instant_of(one, "from")},
                      {"until (UTC)", instant_of(one, "until")},
                      {"matched", text_of(one, "matched")},
                      {"resubmitted", text_of(one, "resubmitted")},
                      {"delivered", text_of(one, "delivered")},
                      {"failed", text_of(one, "failed")},
                      {"cancelled", text_of(one, "cancelled")},
                      {"complete", text_of(one, "complete")}});
}

namespace {

std::string coverage_of(const json::object& answer) {
  auto text = "covered from " + instant_of(answer, "covered_from") + " UTC";
  if (text_of(answer, "complete") != "yes") text += ": what was delivered before may be missing";
  text += '\n';
  const auto* missing = answer.if_contains("not_found");
  if (missing == nullptr || !missing->is_array()) return text;
  for (const auto& id : missing->get_array())
    text += "not found: " + json::serialize(id) + '\n';
  return text;
}

}  // namespace

std::string accepted_view(const json::object& accepted) {
  return "resubmission " + text_of(accepted, "id") + ": " + text_of(accepted, "matched") + " recipients\n" +
         coverage_of(accepted);
}

std::string preview_view(const json::object& preview) {
  return text_of(preview, "deliveries") + " deliveries, " + size_of(preview, "bytes") + ", " +
         text_of(preview, "matched") + " recipients would be resubmitted. Nothing was changed.\n" +
         coverage_of(preview);
}

std::string progress_line(const json::object& one) {
  auto text = text_of(one, "delivered") + " of " + text_of(one, "matched") + " delivered, " +
              text_of(one, "failed") + " failed, " + text_of(one, "state");
  const auto* paused = one.if_contains("paused_because");
  if (paused != nullptr) text += ": " + text_of(one, "paused_because");
  text.resize(std::max<std::size_t>(text.size(), 78), ' ');
  return text;
}

}  // namespace recovery::dumpsterctl
