#include "dumpster/record_fields.hpp"
#include "dumpster/records.hpp"

namespace dumpster {
namespace {

void put(Encoder& out, const Recipient& recipient) {
  out.text(recipient.address);
  out.text(recipient.original_address);
  out.text(recipient.original_recipient);
  out.byte(recipient.notify);
}

Recipient read_recipient(Decoder& in) {
  Recipient recipient;
  recipient.address = in.text();
  recipient.original_address = in.text();
  recipient.original_recipient = in.text();
  recipient.notify = in.byte();
  return recipient;
}

/// Bits that say which parts of a spool entry follow: fresh mail has none of them.
namespace part {
constexpr std::uint8_t trying = 1, in_doubt = 2, ever_delivered = 4, line = 8, resubmission = 16, held = 32,
                       delay_told = 64, from_backup = 128, known = 255;
}

void put(Encoder& out, const SpoolEntry& entry) {
  std::uint8_t parts = 0;
  if (entry.trying) parts |= part::trying;
  if (entry.in_doubt) parts |= part::in_doubt;
  if (entry.ever_delivered) parts |= part::ever_delivered;
  if (entry.group) parts |= part::line;
  if (!entry.resubmission.is_nil()) parts |= part::resubmission;
  if (entry.held) parts |= part::held;
  if (entry.delay_told) parts |= part::delay_told;
  if (entry.from_backup) parts |= part::from_backup;
  out.number(entry.index);
  out.byte(parts);
  out.number(entry.attempts);
  out.instant(entry.next_attempt);
  out.text(entry.last_reply);
  if (entry.group) {
    out.text(entry.group->cluster);
    out.text(entry.group->group);
    out.text(entry.mailbox);
    out.instant(entry.line);
  }
  if (entry.in_doubt) out.instant(entry.in_doubt_since);
  if (!entry.resubmission.is_nil()) {
    out.uuid(entry.resubmission);
    out.instant(entry.resubmit_until);
  }
}

SpoolEntry read_entry(Decoder& in) {
  SpoolEntry entry;
  entry.index = in.number32();
  const auto parts = in.byte();
  if ((parts & ~part::known) != 0) throw Malformed("a spool entry has an unknown part");
  entry.trying = (parts & part::trying) != 0;
  entry.in_doubt = (parts & part::in_doubt) != 0;
  entry.ever_delivered = (parts & part::ever_delivered) != 0;
  entry.held = (parts & part::held) != 0;
  entry.delay_told = (parts & part::delay_told) != 0;
  entry.from_backup = (parts & part::from_backup) != 0;
  entry.attempts = in.number32();
  entry.next_attempt = in.instant();
  entry.last_reply = in.text();
  if ((parts & part::line) != 0) {
    StorageGroup group;
    group.cluster = in.text();
    group.group = in.text();
    entry.group = std::move(group);
    entry.mailbox = in.text();
    entry.line = in.instant();
  }
  if (entry.in_doubt) entry.in_doubt_since = in.instant();
  if ((parts & part::resubmission) != 0) {
    entry.resubmission = in.uuid();
    entry.resubmit_until = in.instant();
  }
  return entry;
}

}  // namespace

std::string encode(const Message& message) {
  Encoder out;
  out.instant(message.received_at);
  out.text(message.message_id);
  out.number(message.size);
  out.number(message.chunks);
  const auto& envelope = message.envelope;
  out.text(envelope.sender);
  put_enumeration(out, envelope.body_type);
  out.flag(envelope.smtputf8);
  out.flag(envelope.require_tls);
  put_enumeration(out, envelope.notify_return);
  out.text(envelope.envelope_id);
  out.number(envelope.recipients.size());
  for (const auto& recipient : envelope.recipients)
    put(out, recipient);
  return out.take();
}

Result<Message> decode_message(const Uuid& key, std::string_view payload) {
  return decoded<Message>(payload, [&key](Decoder& in, Message& message) {
    message.key = key;
    message.received_at = in.instant();
    message.message_id = in.text();
    message.size = in.number();
    message.chunks = in.number32();
    auto& envelope = message.envelope;
    envelope.sender = in.text();
    envelope.body_type = enumeration(in, BodyType::seven_bit, BodyType::binary_mime);
    envelope.smtputf8 = in.flag();
    envelope.require_tls = in.flag();
    envelope.notify_return = enumeration(in, NotifyReturn::unspecified, NotifyReturn::headers);
    envelope.envelope_id = in.text();
    for (auto left = in.count(4); left > 0; --left)
      envelope.recipients.push_back(read_recipient(in));
  });
}

std::string encode(const SpoolRecord& record) {
  Encoder out;
  out.number(record.attempts);
  out.number(record.size);
  out.number(record.entries.size());
  for (const auto& entry : record.entries)
    put(out, entry);
  return out.take();
}

Result<SpoolRecord> decode_spool(std::string_view payload) {
  return decoded<SpoolRecord>(payload, [](Decoder& in, SpoolRecord& record) {
    record.attempts = in.number32();
    record.size = in.number();
    for (auto left = in.count(5); left > 0; --left)
      record.entries.push_back(read_entry(in));
  });
}

std::string encode(const LineRecord& record) {
  const auto& line = record.line;
  Encoder out;
  out.uuid(line.delivery_id);
  out.uuid(line.message);
  out.text(line.message_id);
  out.number(line.size);
  out.text(line.node);
  out.number(line.term);
  out.number(line.attempt);
  put_enumeration(out, line.state);
  out.flag(line.ever_delivered);
  out.uuid(line.resubmission);
  out.flag(record.earlier.has_value());
  if (record.earlier) {
    out.text(record.earlier->node);
    out.number(record.earlier->term);
    out.number(record.earlier->attempt);
  }
  out.number(line.recipients.size());
  for (const auto& recipient : line.recipients) {
    out.number(recipient.index);
    out.text(recipient.address);
    out.text(recipient.mailbox);
  }
  return out.take();
}

Result<LineRecord> decode_line(Instant delivered_at, std::string_view payload) {
  return decoded<LineRecord>(payload, [delivered_at](Decoder& in, LineRecord& record) {
    auto& line = record.line;
    line.delivered_at = delivered_at;
    line.delivery_id = in.uuid();
    line.message = in.uuid();
    line.message_id = in.text();
    line.size = in.number();
    line.node = in.text();
    line.term = in.number();
    line.attempt = in.number32();
    line.state = enumeration(in, DeliveryState::delivered, DeliveryState::failed);
    line.ever_delivered = in.flag();
    line.resubmission = in.uuid();
    if (in.flag()) {
      EarlierDelivery earlier;
      earlier.node = in.text();
      earlier.term = in.number();
      earlier.attempt = in.number32();
      record.earlier = std::move(earlier);
    }
    for (auto left = in.count(3); left > 0; --left) {
      DeliveryRecipient recipient;
      recipient.index = in.number32();
      recipient.address = in.text();
      recipient.mailbox = in.text();
      line.recipients.push_back(std::move(recipient));
    }
  });
}

}  // namespace dumpster
