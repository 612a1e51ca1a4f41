#include "recovery/api/answer_documents.hpp"

#include <boost/json/array.hpp>

namespace recovery {
namespace {

namespace json = boost::json;
using dumpster::to_rfc3339;
using dumpster::to_string;

json::value instant_or_null(const std::optional<dumpster::Instant>& instant) {
  if (!instant) return nullptr;
  return json::value(to_rfc3339(*instant));
}

/// Length of the UTF-8 sequence at the front; 0 when there is none (RFC 3629).
std::size_t sequence_length(std::string_view text) {
  const auto byte = [text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return 1;
  const std::size_t length = lead >= 0xc2 && lead <= 0xdf   ? 2
                             : (lead & 0xf0U) == 0xe0       ? 3
                             : lead >= 0xf0 && lead <= 0xf4 ? 4
                                                            : 0;
  if (length == 0 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0U) != 0x80) return 0;
  }
  if ((lead == 0xe0 && byte(1) < 0xa0) || (lead == 0xed && byte(1) > 0x9f)) return 0;
  if ((lead == 0xf0 && byte(1) < 0x90) || (lead == 0xf4 && byte(1) > 0x8f)) return 0;
  return length;
}

json::array texts_of(const std::vector<dumpster::Uuid>& ids) {
  json::array list;
  for (const auto& id : ids)
    list.emplace_back(to_string(id));
  return list;
}

json::value agent_seen(const dumpster::ClusterState& cluster) {
  for (const auto& [node, seen] : cluster.agent_seen) {
    if (node == cluster.active) return json::value(to_rfc3339(seen));
  }
  return nullptr;
}

}  // namespace

std::string utf8(std::string_view text) {
  std::string result;
  while (!text.empty()) {
    const auto length = sequence_length(text);
    if (length == 0) {
      result += "\xef\xbf\xbd";
      text.remove_prefix(1);
    } else {
      result += text.substr(0, length);
      text.remove_prefix(length);
    }
  }
  return result;
}

std::string name_of(const dumpster::StorageGroup& group) {
  return group.cluster + "/" + group.group;
}

json::object document_of(const dumpster::Delivery& delivery) {
  json::object line;
  line["delivery_id"] = to_string(delivery.delivery_id);
  line["message_id"] = utf8(delivery.message_id);
  line["size"] = delivery.size;
  line["delivered_at"] = to_rfc3339(delivery.delivered_at);
  line["node"] = delivery.node;
  line["term"] = delivery.term;
  line["attempt"] = delivery.attempt;
  line["state"] = to_string(delivery.state);
  json::array recipients;
  for (const auto& recipient : delivery.recipients) {
    json::object one;
    one["address"] = utf8(recipient.address);
    one["mailbox"] = utf8(recipient.mailbox);
    recipients.push_back(std::move(one));
  }
  line["recipients"] = std::move(recipients);
  return line;
}

json::object document_of(const dumpster::Resubmission& resubmission) {
  json::object document;
  document["id"] = to_string(resubmission.id);
  document["key"] = utf8(resubmission.key);
  document["storage_group"] = name_of(resubmission.group);
  document["term"] = resubmission.term;
  document["state"] = to_string(resubmission.state);
  document["from"] = to_rfc3339(resubmission.from);
  document["until"] = to_rfc3339(resubmission.until);
  document["matched"] = resubmission.matched;
  document["resubmitted"] = resubmission.resubmitted;
  document["delivered"] = resubmission.delivered;
  document["failed"] = resubmission.failed;
  document["cancelled"] = resubmission.cancelled;
  document["created_at"] = to_rfc3339(resubmission.created_at);
  document["covered_from"] = to_rfc3339(resubmission.covered_from);
  document["complete"] = resubmission.complete;
  document["not_found"] = texts_of(resubmission.not_found);
  return document;
}

json::object document_of(const dumpster::ResubmissionAccepted& accepted) {
  json::object document;
  document["id"] = to_string(accepted.resubmission.id);
  document["matched"] = accepted.resubmission.matched;
  document["covered_from"] = to_rfc3339(accepted.resubmission.covered_from);
  document["complete"] = accepted.resubmission.complete;
  document["not_found"] = texts_of(accepted.resubmission.not_found);
  return document;
}

json::object preview_of(const dumpster::ResubmissionAccepted& accepted) {
  json::object document;
  document["dry_run"] = true;
  document["matched"] = accepted.resubmission.matched;
  document["deliveries"] = accepted.deliveries;
  document["bytes"] = accepted.bytes;
  document["covered_from"] = to_rfc3339(accepted.resubmission.covered_from);
  document["complete"] = accepted.resubmission.complete;
  document["not_found"] = texts_of(accepted.resubmission.not_found);
  return document;
}

json::object document_of(const dumpster::StorageGroupState& group) {
  json::object document;
  document["name"] = group.name.group;
  document["messages"] = group.messages;
  document["bytes"] = group.bytes;
  document["oldest"] = instant_or_null(group.oldest);
  document["newest"] = instant_or_null(group.newest);
  document["covered_from"] = to_rfc3339(group.covered_from);
  document["in_doubt"] = group.in_doubt;
  document["max_seconds"] = std::chrono::duration<double>(group.limits.max_time).count();
  return document;
}

json::object document_of(const dumpster::ClusterState& cluster,
                         const std::vector<dumpster::StorageGroupState>& groups, dumpster::Instant now) {
  const bool held = cluster.held(now);
  json::object document;
  document["cluster"] = cluster.name;
  json::array nodes;
  for (const auto& node : cluster.nodes)
    nodes.emplace_back(node);
  document["nodes"] = std::move(nodes);
  document["active"] = cluster.active;
  document["term"] = cluster.term;
  document["kind"] = to_string(cluster.kind);
  document["held"] = held;
  document["held_until"] = held ? json::value(to_rfc3339(*cluster.held_until)) : json::value(nullptr);
  document["agent_seen"] = agent_seen(cluster);
  document["recovered"] = cluster.recovered;
  json::array list;
  for (const auto& group : groups)
    list.push_back(document_of(group));
  document["storage_groups"] = std::move(list);
  return document;
}

json::object document_of(const RunningRelay::QueuedMail& mail) {
  json::object document;
  document["id"] = to_string(mail.id);
  document["message_id"] = utf8(mail.message_id);
  document["sender"] = utf8(mail.sender);
  document["size"] = mail.size;
  document["received_at"] = to_rfc3339(mail.received_at);
  json::array recipients;
  for (const auto& each : mail.recipients) {
    json::object one;
    one["address"] = utf8(each.address);
    one["destination"] = utf8(each.destination);
    one["state"] = each.state;
    one["resubmission"] = each.resubmission;
    one["attempts"] = each.attempts;
    one["next_attempt"] =
        each.attempts > 0 ? json::value(to_rfc3339(each.next_attempt)) : json::value(nullptr);
    one["last_reply"] = utf8(each.last_reply);
    recipients.push_back(std::move(one));
  }
  document["recipients"] = std::move(recipients);
  return document;
}

}  // namespace recovery
