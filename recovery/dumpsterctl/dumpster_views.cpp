#include <boost/json/serialize.hpp>
#include <cmath>

#include "recovery/dumpsterctl/document_text.hpp"
#include "recovery/dumpsterctl/views.hpp"

namespace recovery::dumpsterctl {

namespace json = boost::json;
using Align = Table::Column::Align;

std::string sizing_view(const std::string& group, const json::object& sizing) {
  const auto limit = size_of(sizing, "max_bytes") + ", " + span_of(sizing, "max_seconds");
  auto needed = size_of(sizing, "needed_bytes");
  if (text_of(sizing, "estimated") == "yes")
    needed += " (estimated from the last " + span_of(sizing, "measured_seconds") + ")";
  return named_lines({{"storage group", group},
                      {"messages", text_of(sizing, "messages")},
                      {"size", size_of(sizing, "bytes")},
                      {"limits", limit},
                      {"in doubt", text_of(sizing, "in_doubt")},
                      {"oldest (UTC)", instant_of(sizing, "oldest")},
                      {"newest (UTC)", instant_of(sizing, "newest")},
                      {"covered from", instant_of(sizing, "covered_from")},
                      {"reaches back", span_of(sizing, "covers_seconds")},
                      {"to cover", span_of(sizing, "wanted_seconds")},
                      {"it would take", needed}});
}

std::string deliveries_view(const std::vector<json::object>& lines) {
  Table table{{{"DELIVERY", 36}, {"DELIVERED (UTC)", 19}, {"STATE", 12}, {"SIZE", 8, Align::right}}};
  for (std::size_t i = 0; i + 1 < lines.size(); ++i) {
    const auto& line = lines[i];
    table.add({text_of(line, "delivery_id"), instant_of(line, "delivered_at"), text_of(line, "state"),
               size_of(line, "size")});
  }
  const auto& last = lines.back();
  const auto covered = "covered from " + instant_of(last, "covered_from") + " UTC" +
                       (text_of(last, "complete") == "yes" ? "" : ": what was before may be missing here");
  return (table.empty() ? std::string{"no deliveries\n"} : table.text()) + covered + '\n';
}

std::string verification_view(const json::object& found) {
  std::string text;
  const auto* faults = found.if_contains("faults");
  if (faults != nullptr && faults->is_array()) {
    for (const auto& fault : faults->get_array())
      text += std::string{fault.is_string() ? std::string_view{fault.get_string()} : "?"} + '\n';
  }
  return text + text_of(found, "messages") + " messages, " + text_of(found, "spooled") + " in the spool, " +
         text_of(found, "deliveries") + " deliveries retained, " + text_of(found, "chunks") +
         " chunks of bodies: " + (text.empty() ? "sound" : "damaged") + '\n';
}

std::string backup_view(const json::object& made) {
  return "the store is in " + text_of(made, "directory") + ": " + text_of(made, "files") + " files, " +
         size_of(made, "bytes") + '\n';
}

std::string purge_view(const json::object& purged) {
  const bool dry = text_of(purged, "dry_run") == "yes";
  auto text = text_of(purged, "messages") + " deliveries, " + size_of(purged, "bytes") +
              (dry ? " would go" : " are gone");
  if (text_of(purged, "kept") != "0")
    text += "; " + text_of(purged, "kept") + " stay, in doubt or being resubmitted";
  return text + (dry ? ". Nothing was changed: --yes does it.\n" : ".\n");
}

}  // namespace recovery::dumpsterctl
