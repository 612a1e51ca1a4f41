#include "recovery/api/request_documents.hpp"

#include <limits>

#include "recovery/api/fields.hpp"

namespace recovery {
namespace {

constexpr std::size_t longest_name = 255;
constexpr std::size_t longest_key = 200;
constexpr std::size_t longest_path = 4095;
constexpr std::size_t longest_address = 1024;
constexpr std::size_t longest_message_id = 998;  // RFC 5322 2.1.1: a line
// Kept below what a signed number of 64 bits holds, since other tools read it as one.
constexpr std::uint64_t highest_term = std::numeric_limits<std::int64_t>::max();

constexpr dumpster::Duration longest_hold = std::chrono::hours{24};

enum class Evidence { settles, absent };

std::vector<std::string> recipients_from(const boost::json::array& list, const Fields& fields) {
  std::vector<std::string> recipients;
  for (const auto& value : list) {
    if (!value.is_string() || value.get_string().empty())
      fields.refuse("recipients", "is not a list of addresses");
    if (value.get_string().size() > longest_address)
      fields.refuse("recipients", "contains what is not an address");
    recipients.emplace_back(value.get_string());
  }
  if (recipients.empty()) fields.refuse("recipients", "is empty; leave it out for all recipients");
  return recipients;
}

dumpster::ResubmissionItem item_from(const boost::json::value& value, std::size_t index, Evidence evidence,
                                     bool attempt_required) {
  const std::string place = "deliveries[" + std::to_string(index) + "]";
  if (!value.is_object()) Fields{{}, place}.refuse("", "is not an object");
  Fields fields{value.get_object(), place + "."};
  dumpster::ResubmissionItem item;
  const auto id = dumpster::uuid_from(fields.text("delivery_id", 64));
  if (!id) fields.refuse("delivery_id", "is not a UUID");
  item.delivery_id = *id;
  if (const auto* list = fields.array_if_any("recipients")) item.recipients = recipients_from(*list, fields);
  if (evidence == Evidence::settles) {
    if (const auto attempt = fields.number_if_any("attempt", std::numeric_limits<std::uint32_t>::max())) {
      item.attempt = static_cast<std::uint32_t>(*attempt);
    } else if (attempt_required) {
      fields.refuse("attempt", "is missing; an agent has to give it");
    }
    const auto outcome = fields.text_if_any("outcome", 16).value_or("deliver");
    if (outcome == "present") {
      item.outcome = dumpster::ResubmissionItem::Outcome::present;
    } else if (outcome != "deliver") {
      fields.refuse("outcome", "is neither deliver nor present");
    }
  }
  fields.end();
  return item;
}

std::vector<dumpster::ResubmissionItem> items_from(const boost::json::array& list, Evidence evidence,
                                                   bool attempt_required) {
  std::vector<dumpster::ResubmissionItem> items;
  items.reserve(list.size());
  for (std::size_t i = 0; i < list.size(); ++i)
    items.push_back(item_from(list[i], i, evidence, attempt_required));
  return items;
}

}  // namespace

std::string without_brackets(std::string message_id) {
  if (message_id.size() > 2 && message_id.front() == '<' && message_id.back() == '>') {
    return message_id.substr(1, message_id.size() - 2);
  }
  return message_id;
}

dumpster::Activation activation_from(std::string_view body) {
  const auto object = parse_object(body);
  Fields fields{object};
  dumpster::Activation activation;
  activation.node = fields.text("node", longest_name);
  activation.term = fields.number("term", highest_term);
  const auto kind = dumpster::activation_kind_from(fields.text("kind", 16));
  if (!kind) fields.refuse("kind", "is neither lossy nor lossless");
  activation.kind = *kind;
  fields.end();
  return activation;
}

dumpster::ResubmissionRequest resubmission_from(std::string_view body, bool by_agent) {
  const auto object = parse_object(body);
  Fields fields{object};
  dumpster::ResubmissionRequest request;
  request.by_agent = by_agent;
  request.key = fields.text("key", longest_key);
  request.from = fields.instant("from");
  request.until = fields.instant("until");
  if (request.until < request.from) fields.refuse("until", "is before from");
  request.node = fields.text_if_any("node", longest_name);
  request.term = fields.number_if_any("term", highest_term);
  if (const auto* list = fields.array_if_any("deliveries")) {
    if (by_agent && !request.node) fields.refuse("node", "is missing; an agent has to give it");
    if (by_agent && !request.term) fields.refuse("term", "is missing; an agent has to give it");
    request.items = items_from(*list, Evidence::settles, by_agent);
  }
  request.recipient = fields.text_if_any("recipient", longest_address).value_or("");
  request.message_id = without_brackets(fields.text_if_any("message_id", longest_message_id).value_or(""));
  fields.end();
  return request;
}

dumpster::AbsentReport absent_report_from(std::string_view body) {
  const auto object = parse_object(body);
  Fields fields{object};
  dumpster::AbsentReport report;
  report.node = fields.text("node", longest_name);
  report.term = fields.number("term", highest_term);
  const auto* list = fields.array_if_any("deliveries");
  if (list == nullptr) fields.refuse("deliveries", "is missing");
  report.items = items_from(*list, Evidence::absent, false);
  fields.end();
  return report;
}

dumpster::Duration hold_from(std::string_view body) {
  const auto object = parse_object(body);
  Fields fields{object};
  const auto duration = fields.duration("for", longest_hold);
  if (duration <= dumpster::Duration::zero()) fields.refuse("for", "is no time at all; use release");
  fields.end();
  return duration;
}

void release_from(std::string_view body) {
  if (body.empty()) return;
  const auto object = parse_object(body);
  Fields{object}.end();
}

ReplicatedReport replicated_report_from(std::string_view body) {
  const auto object = parse_object(body);
  Fields fields{object};
  ReplicatedReport report;
  report.node = fields.text("node", longest_name);
  report.through = fields.instant("through");
  fields.end();
  return report;
}

std::filesystem::path backup_from(std::string_view body) {
  const auto object = parse_object(body);
  Fields fields{object};
  std::filesystem::path directory{fields.text("directory", longest_path)};
  if (!directory.is_absolute()) fields.refuse("directory", "is not an absolute path");
  fields.end();
  return directory.lexically_normal();
}

RecoveredReport recovered_report_from(std::string_view body) {
  const auto object = parse_object(body);
  Fields fields{object};
  RecoveredReport report;
  report.node = fields.text("node", longest_name);
  report.term = fields.number("term", highest_term);
  fields.end();
  return report;
}

}  // namespace recovery
