#include "relay/queue/inspection.hpp"

#include <algorithm>
#include <string_view>

#include "relay/queue/plan.hpp"

namespace relay {
namespace {

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

bool same(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return lower(x) == lower(y); });
}

QueuedState state_of(const QueuedMessage& message, const dumpster::SpoolEntry& entry) {
  if (message.under_way.contains(entry.index)) return QueuedState::under_way;
  if (entry.held) return QueuedState::held;
  if (entry.in_doubt) return QueuedState::in_doubt;
  return entry.attempts > 0 ? QueuedState::deferred : QueuedState::waiting;
}

bool message_fits(const QueuedMessage& message, const QueueFilter& filter) {
  const auto& accepted = message.spooled.message;
  if (!filter.message_id.empty() && accepted.message_id != filter.message_id) return false;
  if (filter.received_before && accepted.received_at >= *filter.received_before) return false;
  if (filter.sender.empty()) return true;
  return filter.sender == "<>" ? accepted.envelope.sender.empty()
                               : same(accepted.envelope.sender, filter.sender);
}

bool destination_fits(const FoundRoute& route, const std::string& wanted) {
  if (wanted.empty() || wanted == route.name) return true;
  return route.group && wanted == route.group->cluster;
}

bool id_fits(const dumpster::Uuid& key, const FoundRoute& route, const dumpster::Uuid& wanted) {
  if (key == wanted) return true;
  return route.group && dumpster::delivery_id_of(key, route.group->cluster, route.group->group) == wanted;
}

}  // namespace

QueuedMail inspect(const QueuedMessage& message, const QueueFilter& filter, const Directory& directory,
                   const std::optional<NextHop>& smarthost) {
  const auto& accepted = message.spooled.message;
  QueuedMail mail;
  mail.id = accepted.key;
  if (!message_fits(message, filter)) return mail;
  for (const auto& entry : message.spooled.entries) {
    const auto& recipient = accepted.envelope.recipients.at(entry.index);
    if (!filter.recipient.empty() && !same(recipient.address, filter.recipient) &&
        !same(recipient.original_address, filter.recipient)) {
      continue;
    }
    if (filter.held && *filter.held != entry.held) continue;
    const auto route = find_route(entry, recipient.address, directory, smarthost);
    if (!destination_fits(route, filter.destination)) continue;
    if (filter.id && !id_fits(accepted.key, route, *filter.id)) continue;
    mail.recipients.push_back({entry.index, recipient.address, route.name, state_of(message, entry),
                               !entry.resubmission.is_nil(), entry.attempts, entry.next_attempt,
                               entry.last_reply});
  }
  if (mail.recipients.empty()) return mail;
  mail.message_id = accepted.message_id;
  mail.sender = accepted.envelope.sender;
  mail.size = accepted.size;
  mail.received_at = accepted.received_at;
  return mail;
}

}  // namespace relay
