#include "recovery/dumpsterctl/queue_views.hpp"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/value.hpp>

#include "recovery/dumpsterctl/document_text.hpp"
#include "recovery/dumpsterctl/table.hpp"

namespace recovery::dumpsterctl {
namespace {

namespace json = boost::json;
using Align = Table::Column::Align;

std::vector<json::object> list_in(const json::object& object, std::string_view name) {
  std::vector<json::object> list;
  const auto* value = object.if_contains(name);
  if (value == nullptr || !value->is_array()) return list;
  for (const auto& one : value->get_array()) {
    if (one.is_object()) list.push_back(one.get_object());
  }
  return list;
}

std::string age_of(const json::object& mail, dumpster::Instant now) {
  const auto received = dumpster::from_rfc3339(text_of(mail, "received_at"));
  if (!received) return "-";
  const auto seconds =
      std::chrono::duration_cast<std::chrono::seconds>(std::max(now - *received, dumpster::Duration{0}));
  return span_of({{"age", seconds.count()}}, "age");
}

std::string sender_of(const json::object& mail) {
  const auto sender = text_of(mail, "sender");
  return sender.empty() ? "<>" : sender;
}

std::string first_word(const json::object& event, std::initializer_list<std::string_view> names) {
  for (const auto name : names) {
    const auto text = text_of(event, name);
    if (text != "-" && !text.empty()) return text;
  }
  return "-";
}

/// `ccr1/sg1 node1`, or a next hop.
std::string place_of(const json::object& event) {
  const auto group = text_of(event, "storage_group");
  const auto where = text_of(event, "where");
  if (group == "-") return where;
  return where == "-" ? group : group + " " + where;
}

std::string events_part(const json::object& mail) {
  Table table{{{"TIME (UTC)", 19}, {"EVENT", 11}, {"WHERE", 18}, {"RECIPIENT, OR REPLY", 26}}};
  for (const auto& event : list_in(mail, "events")) {
    const auto* recipients = event.if_contains("recipients");
    const auto count = recipients != nullptr && recipients->is_array() ? recipients->get_array().size() : 0;
    std::string who = count == 1 ? std::string{recipients->get_array().front().as_string()}
                                 : std::to_string(count) + " recipients";
    auto what = text_of(event, "event");
    if (text_of(event, "retained") == "yes") what += "+";
    table.add({instant_of(event, "at"), what, place_of(event), who});
    const auto reply = text_of(event, "reply");
    if (reply != "-") table.add({"", "", "", reply});
  }
  return table.empty() ? "no events are remembered\n" : table.text();
}

std::string ends_part(const json::object& mail) {
  Table table{{{"RECIPIENT", 28}, {"NOW", 11}, {"SINCE (UTC)", 19}, {"WHERE", 16}}};
  for (const auto& end : list_in(mail, "recipients"))
    table.add(
        {text_of(end, "address"), text_of(end, "state"), instant_of(end, "since"), text_of(end, "where")});
  return table.empty() ? std::string{} : "\n" + table.text();
}

std::string queued_part(const json::object& mail) {
  Table table{
      {{"WAITS FOR", 28}, {"STATE", 9}, {"TRIES", 5, Align::right}, {"NEXT (UTC)", 19}, {"LAST REPLY", 11}}};
  for (const auto& each : list_in(mail, "queued"))
    table.add({text_of(each, "address"), text_of(each, "state"), text_of(each, "attempts"),
               instant_of(each, "next_attempt"), text_of(each, "last_reply")});
  return table.empty() ? std::string{} : "\n" + table.text();
}

std::string retained_part(const json::object& mail) {
  Table table{{{"RETAINED AS", 36}, {"IN", 14}, {"STATE", 12}, {"NODE", 12}}};
  for (const auto& line : list_in(mail, "retained"))
    table.add({text_of(line, "delivery_id"), text_of(line, "storage_group"), text_of(line, "state"),
               text_of(line, "node")});
  return table.empty() ? std::string{} : "\n" + table.text();
}

}  // namespace

std::string queue_view(const std::vector<json::object>& lines, dumpster::Instant now) {
  Table table{{{"MESSAGE", 36}, {"AGE", 7, Align::right}, {"STATE", 9}, {"RECIPIENT", 22}}};
  for (const auto& mail : lines) {
    for (const auto& recipient : list_in(mail, "recipients"))
      table.add({text_of(mail, "id"), age_of(mail, now), text_of(recipient, "state"),
                 text_of(recipient, "address")});
  }
  if (table.empty()) return "nothing in the queue fits\n";
  auto text = table.text() + text_of(lines.back(), "count") + " messages";
  if (text_of(lines.back(), "complete") != "yes") text += ", and more (--limit)";
  return text + "\n";
}

std::string queued_mail_view(const json::object& mail) {
  auto text = named_lines({{"message", text_of(mail, "id")},
                           {"Message-ID", text_of(mail, "message_id")},
                           {"sender", sender_of(mail)},
                           {"size", size_of(mail, "size")},
                           {"received (UTC)", instant_of(mail, "received_at")}});
  for (const auto& each : list_in(mail, "recipients")) {
    text += "\n" + named_lines({{"recipient", text_of(each, "address")},
                                {"destination", text_of(each, "destination")},
                                {"state", text_of(each, "state")},
                                {"resubmission", text_of(each, "resubmission")},
                                {"attempts", text_of(each, "attempts")},
                                {"next (UTC)", instant_of(each, "next_attempt")},
                                {"last reply", text_of(each, "last_reply")}});
  }
  return text;
}

std::string queue_change_view(const std::string& action, const json::object& changed) {
  const auto what =
      text_of(changed, "messages") + " messages, " + text_of(changed, "recipients") + " recipients";
  const bool dry = text_of(changed, "dry_run") == "yes";
  std::string text;
  if (action == "delete") {
    text = dry ? what + " would be deleted; --yes does it\n" : what + " are deleted\n";
  } else {
    text = what + (action == "hold"      ? " are held\n"
                   : action == "release" ? " are released\n"
                                         : " are tried now\n");
  }
  const auto under_way = text_of(changed, "under_way");
  if (under_way != "0" && under_way != "-")
    text += under_way + " recipients were being delivered to, and left alone\n";
  return text;
}

std::string trace_view(const std::vector<json::object>& lines) {
  std::string text;
  for (const auto& mail : lines) {
    if (!mail.contains("id")) continue;
    if (!text.empty()) text += "\n" + std::string(80, '-') + "\n";
    text += named_lines({{"message", text_of(mail, "id")},
                         {"Message-ID", text_of(mail, "message_id")},
                         {"sender", sender_of(mail)},
                         {"from", first_word(mail, {"origin"})},
                         {"size", size_of(mail, "size")},
                         {"accepted (UTC)", instant_of(mail, "accepted_at")}});
    text += "\n" + events_part(mail) + ends_part(mail) + queued_part(mail) + retained_part(mail);
  }
  if (text_of(lines.back(), "complete") != "yes") text += "\nolder messages fit, too; these are the newest\n";
  return text;
}

std::string trace_nothing_view(const std::string& what, const json::object& last) {
  auto text = "nothing is known of " + what;
  if (text_of(last, "since") != "-") text += "; the history begins " + instant_of(last, "since") + " UTC";
  return text + "\n";
}

}  // namespace recovery::dumpsterctl
