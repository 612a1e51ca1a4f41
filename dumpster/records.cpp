#include "dumpster/records.hpp"

#include <openssl/evp.h>

#include "dumpster/codec.hpp"

namespace dumpster {
namespace {

/// Runs `read` over the payload; what is malformed is damage.
template <class Record, class Read>
Result<Record> decoded(std::string_view payload, Read read) {
  try {
    Decoder in{payload};
    Record record;
    read(in, record);
    in.expect_end();
    return record;
  } catch (const Malformed& malformed) {
    return Error{Fault::damaged, malformed.what()};
  }
}

/// An enumeration whose values run from `first` to `last` without a gap.
template <class Enum>
Enum enumeration(Decoder& in, Enum first, Enum last) {
  const auto value = in.byte();
  if (value < static_cast<std::uint8_t>(first) || value > static_cast<std::uint8_t>(last)) {
    throw Malformed("a value is outside its enumeration");
  }
  return static_cast<Enum>(value);
}

template <class Enum>
void put_enumeration(Encoder& out, Enum value) {
  out.byte(static_cast<std::uint8_t>(value));
}

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
constexpr std::uint8_t trying = 1, in_doubt = 2, ever_delivered = 4, line = 8, resubmission = 16, known = 31;
}

void put(Encoder& out, const SpoolEntry& entry) {
  std::uint8_t parts = 0;
  if (entry.trying) parts |= part::trying;
  if (entry.in_doubt) parts |= part::in_doubt;
  if (entry.ever_delivered) parts |= part::ever_delivered;
  if (entry.group) parts |= part::line;
  if (!entry.resubmission.is_nil()) parts |= part::resubmission;
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

std::string encode(const HubRecord& record) {
  Encoder out;
  out.number(record.format);  // stays the first field in every version, so that an older program can refuse
  out.uuid(record.store_id);
  out.instant(record.store_created);
  out.number(record.sequence);
  out.instant(record.last_time);
  out.flag(record.clean_shutdown);
  out.number(record.last_group);
  out.number(record.spool_messages);
  out.number(record.spool_bytes);
  return out.take();
}

Result<HubRecord> decode_hub(std::string_view payload) {
  std::uint64_t format = 0;
  try {
    format = Decoder{payload}.number();
  } catch (const Malformed& malformed) {
    return Error{Fault::damaged, malformed.what()};
  }
  if (format != format_version) {
    return Error{Fault::invalid, "the store has format " + std::to_string(format) + ", this program knows " +
                                     std::to_string(format_version)};
  }
  return decoded<HubRecord>(payload, [](Decoder& in, HubRecord& record) {
    record.format = in.number();
    record.store_id = in.uuid();
    record.store_created = in.instant();
    record.sequence = in.number();
    record.last_time = in.instant();
    record.clean_shutdown = in.flag();
    record.last_group = in.number32();
    record.spool_messages = in.number();
    record.spool_bytes = in.number();
  });
}

std::string encode(const ClusterRecord& record) {
  Encoder out;
  out.text(record.active);
  out.number(record.term);
  put_enumeration(out, record.kind);
  out.instant(record.activated_at);
  out.flag(record.recovered);
  out.number(record.agent_seen.size());
  for (const auto& [node, seen] : record.agent_seen) {
    out.text(node);
    out.instant(seen);
  }
  return out.take();
}

Result<ClusterRecord> decode_cluster(std::string_view payload) {
  return decoded<ClusterRecord>(payload, [](Decoder& in, ClusterRecord& record) {
    record.active = in.text();
    record.term = in.number();
    record.kind = enumeration(in, ActivationKind::lossy, ActivationKind::lossless);
    record.activated_at = in.instant();
    record.recovered = in.flag();
    for (auto left = in.count(2); left > 0; --left) {
      auto node = in.text();
      const auto seen = in.instant();
      record.agent_seen.emplace_back(std::move(node), seen);
    }
  });
}

std::string encode(const GroupRecord& record) {
  Encoder out;
  out.number(record.number);
  out.instant(record.created);
  out.number(record.messages);
  out.number(record.bytes);
  out.number(record.in_doubt);
  out.instant(record.covered_from);
  out.flag(record.retention_off);
  return out.take();
}

Result<GroupRecord> decode_group(std::string_view payload) {
  return decoded<GroupRecord>(payload, [](Decoder& in, GroupRecord& record) {
    record.number = in.number32();
    record.created = in.instant();
    record.messages = in.number();
    record.bytes = in.number();
    record.in_doubt = in.number();
    record.covered_from = in.instant();
    record.retention_off = in.flag();
  });
}

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

std::string encode(const Resubmission& record) {
  Encoder out;
  out.text(record.key);
  out.text(record.group.cluster);
  out.text(record.group.group);
  out.number(record.term);
  put_enumeration(out, record.state);
  out.instant(record.from);
  out.instant(record.until);
  out.instant(record.created_at);
  out.number(record.matched);
  out.number(record.resubmitted);
  out.number(record.delivered);
  out.number(record.failed);
  out.number(record.cancelled);
  out.instant(record.covered_from);
  out.flag(record.complete);
  return out.take();
}

Result<Resubmission> decode_resubmission(const Uuid& id, std::string_view payload) {
  return decoded<Resubmission>(payload, [&id](Decoder& in, Resubmission& record) {
    record.id = id;
    record.key = in.text();
    record.group.cluster = in.text();
    record.group.group = in.text();
    record.term = in.number();
    record.state = enumeration(in, ResubmissionState::running, ResubmissionState::cancelled);
    record.from = in.instant();
    record.until = in.instant();
    record.created_at = in.instant();
    record.matched = in.number();
    record.resubmitted = in.number();
    record.delivered = in.number();
    record.failed = in.number();
    record.cancelled = in.number();
    record.covered_from = in.instant();
    record.complete = in.flag();
  });
}

std::string encode(const ResubmissionKeyRecord& record) {
  Encoder out;
  out.uuid(record.id);
  for (const auto byte : record.digest)
    out.byte(byte);
  return out.take();
}

Result<ResubmissionKeyRecord> decode_resubmission_key(std::string_view payload) {
  return decoded<ResubmissionKeyRecord>(payload, [](Decoder& in, ResubmissionKeyRecord& record) {
    record.id = in.uuid();
    for (auto& byte : record.digest)
      byte = in.byte();
  });
}

std::string encode(const std::vector<Uuid>& ids) {
  Encoder out;
  out.number(ids.size());
  for (const auto& id : ids)
    out.uuid(id);
  return out.take();
}

Result<std::vector<Uuid>> decode_ids(std::string_view payload) {
  return decoded<std::vector<Uuid>>(payload, [](Decoder& in, std::vector<Uuid>& ids) {
    for (auto left = in.count(16); left > 0; --left)
      ids.push_back(in.uuid());
  });
}

Digest digest_of(const ResubmissionRequest& request) {
  Encoder out;
  out.text(request.group.cluster);
  out.text(request.group.group);
  out.instant(request.from);
  out.instant(request.until);
  out.flag(request.node.has_value());
  if (request.node) out.text(*request.node);
  out.flag(request.term.has_value());
  if (request.term) out.number(*request.term);
  out.flag(request.items.has_value());
  if (request.items) {
    for (const auto& item : *request.items) {
      out.uuid(item.delivery_id);
      out.flag(item.attempt.has_value());
      if (item.attempt) out.number(*item.attempt);
      out.number(item.recipients.size());
      for (const auto& recipient : item.recipients)
        out.text(recipient);
      put_enumeration(out, item.outcome);
    }
  }
  out.text(request.recipient);
  out.text(request.message_id);
  const auto bytes = out.take();
  Digest digest{};
  unsigned int length = 0;
  if (EVP_Digest(bytes.data(), bytes.size(), digest.data(), &length, EVP_sha256(), nullptr) != 1) {
    throw std::runtime_error("SHA-256 is not available");
  }
  return digest;
}

}  // namespace dumpster
