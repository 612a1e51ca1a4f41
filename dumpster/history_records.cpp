#include <array>

#include "dumpster/record_fields.hpp"
#include "dumpster/records.hpp"

namespace dumpster {
namespace {

using Kind = HistoryEvent::Kind;

constexpr std::array<std::string_view, 12> names{"",         "accepted", "delivered", "in_doubt",
                                                 "deferred", "bounced",  "deleted",   "resubmitted",
                                                 "present",  "delayed",  "held",      "released"};

HistoryEvent read_event(Decoder& in) {
  HistoryEvent event;
  event.kind = enumeration(in, Kind::accepted, Kind::released);
  event.at = in.instant();
  event.message = in.uuid();
  if (event.kind == Kind::accepted) {
    event.sender = in.text();
    event.message_id = in.text();
    event.origin = in.text();
    event.size = in.number();
    for (auto left = in.count(2); left > 0; --left) {
      event.recipients.push_back(static_cast<std::uint32_t>(event.addresses.size()));
      event.addresses.push_back(in.text());
      event.originals.push_back(in.text());
    }
    return event;
  }
  for (auto left = in.count(1); left > 0; --left)
    event.recipients.push_back(in.number32());
  event.attempt = in.number32();
  if (in.flag()) {
    StorageGroup group;
    group.cluster = in.text();
    group.group = in.text();
    event.group = std::move(group);
  }
  event.where = in.text();
  event.reply = in.text();
  event.retained = in.flag();
  if (in.flag()) event.resubmission = in.uuid();
  return event;
}

}  // namespace

std::string_view to_string(Kind kind) {
  return names.at(static_cast<std::size_t>(kind));
}

std::string encode(const HistoryEvent& event) {
  Encoder out;
  put_enumeration(out, event.kind);
  out.instant(event.at);
  out.uuid(event.message);
  if (event.kind == Kind::accepted) {
    out.text(event.sender);
    out.text(event.message_id);
    out.text(event.origin);
    out.number(event.size);
    out.number(event.addresses.size());
    for (std::size_t i = 0; i < event.addresses.size(); ++i) {
      out.text(event.addresses[i]);
      out.text(i < event.originals.size() ? std::string_view{event.originals[i]} : std::string_view{});
    }
    return out.take();
  }
  out.number(event.recipients.size());
  for (const auto recipient : event.recipients)
    out.number(recipient);
  out.number(event.attempt);
  out.flag(event.group.has_value());
  if (event.group) {
    out.text(event.group->cluster);
    out.text(event.group->group);
  }
  out.text(event.where);
  out.text(event.reply);
  out.flag(event.retained);
  out.flag(!event.resubmission.is_nil());
  if (!event.resubmission.is_nil()) out.uuid(event.resubmission);
  return out.take();
}

Result<std::vector<HistoryEvent>> decode_history(std::string_view payload) {
  return decoded<std::vector<HistoryEvent>>(payload, [](Decoder& in, std::vector<HistoryEvent>& events) {
    while (!in.at_end())
      events.push_back(read_event(in));
  });
}

}  // namespace dumpster
