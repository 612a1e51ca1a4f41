#include "dumpster/rocksdb/spool_changes.hpp"

#include <algorithm>

namespace dumpster::rocks {
namespace {

void refuse_contradictions(const NewMessage& accepted) {
  const auto& message = accepted.message;
  const auto refuse = [](const char* why) { throw Refused{{Fault::invalid, why}}; };
  if (message.key.is_nil()) refuse("a message needs a key");
  if (message.envelope.recipients.empty()) refuse("a message needs a recipient");
  if (message.chunks != chunks_of(message.size)) refuse("the size of a message does not go with its chunks");
  const auto last = message.chunks == 0 ? 0 : message.size - (message.chunks - 1) * body_chunk_size;
  const bool given_before = message.chunks > 1 && accepted.body.empty();
  if (!given_before && accepted.body.size() != last)
    refuse("the size of a body is not the one of its message");
}

/// What is in `accepted` joins the chunks before it.
void put_last_chunk(Change& change, const NewMessage& accepted) {
  const auto& message = accepted.message;
  if (message.chunks > 1) {
    const auto before = message.chunks - (accepted.body.empty() ? 0 : 1);
    // Without the mark the database was opened again since the first chunk, and others may be lost.
    if (!change.exists(Family::state, key::begun_body(message.key)) ||
        !change.exists(Family::bodies, key::chunk(message.key, before - 1))) {
      throw Refused{{Fault::unavailable, "the body of a message has not been given whole"}};
    }
    change.erase(Family::state, key::begun_body(message.key));
  }
  if (!accepted.body.empty())
    change.put(Family::bodies, key::chunk(message.key, message.chunks - 1), accepted.body);
}

}  // namespace

SpoolEntry* OpenSpool::find(std::uint32_t index) {
  const auto found = std::find_if(record.entries.begin(), record.entries.end(),
                                  [index](const SpoolEntry& entry) { return entry.index == index; });
  return found == record.entries.end() ? nullptr : &*found;
}

void OpenSpool::erase(std::uint32_t index) {
  const auto is_it = [index](const SpoolEntry& entry) { return entry.index == index; };
  record.entries.erase(std::remove_if(record.entries.begin(), record.entries.end(), is_it),
                       record.entries.end());
}

OpenSpool open_spool(const Change& change, const Uuid& message) {
  OpenSpool spool;
  spool.message = message;
  const auto stored = change.get(Family::spool, key::message(message));
  if (!stored) return spool;
  spool.existed = true;
  spool.record = value_or_refuse(decode_spool(*stored));
  return spool;
}

void close_spool(Change& change, const OpenSpool& spool) {
  const bool remains = !spool.record.entries.empty();
  if (remains) change.put(Family::spool, key::message(spool.message), encode(spool.record));
  if (remains == spool.existed) return;
  if (!remains) change.erase(Family::spool, key::message(spool.message));
  auto& hub = change.hub();
  if (remains) {
    hub.spool_messages += 1;
    hub.spool_bytes += spool.record.size;
  } else {
    hub.spool_messages -= 1;
    hub.spool_bytes -= spool.record.size;
  }
  change.refer(spool.message, spool.record.size, remains ? +1 : -1);
}

Message message_record(const Change& change, const Uuid& message) {
  const auto stored = change.get(Family::messages, key::message(message));
  if (!stored) throw Refused{{Fault::damaged, "the message " + to_string(message) + " has lost its record"}};
  return value_or_refuse(decode_message(message, *stored));
}

void append_chunk(Change& change, const Uuid& message, std::uint32_t chunk, std::string_view bytes) {
  if (bytes.size() > body_chunk_size) throw Refused{{Fault::invalid, "a chunk of a body is too large"}};
  if (change.exists(Family::messages, key::message(message))) {
    throw Refused{{Fault::conflict, "the message has been accepted, its body does not change any more"}};
  }
  const auto begun = key::begun_body(message);
  if (chunk == 0) {
    change.put(Family::state, begun, {});
  } else if (!change.exists(Family::state, begun)) {
    throw Refused{{Fault::unavailable, "the chunks before this one are not there (any more)"}};
  }
  change.put(Family::bodies, key::chunk(message, chunk), bytes);
}

void abandon_body(Change& change, const Uuid& message) {
  const auto begun = key::begun_body(message);
  if (!change.exists(Family::state, begun)) return;
  const auto prefix = key::message(message);
  std::vector<std::string> chunks;
  change.walk(Family::bodies, prefix, key::behind(prefix), [&](std::string_view key, std::string_view) {
    chunks.emplace_back(key);
    return true;
  });
  for (auto& chunk : chunks)
    change.erase(Family::bodies, std::move(chunk));
  change.erase(Family::state, begun);
}

void accept(Change& change, const NewMessage& accepted) {
  refuse_contradictions(accepted);
  const auto& message = accepted.message;
  if (change.exists(Family::messages, key::message(message.key)))
    return;  // done before: idempotent by its key
  put_last_chunk(change, accepted);
  change.put(Family::messages, key::message(message.key), encode(message));
  SpoolRecord record;
  record.size = message.size;
  for (std::uint32_t i = 0; i < message.envelope.recipients.size(); ++i) {
    SpoolEntry entry;
    entry.index = i;
    record.entries.push_back(std::move(entry));
  }
  change.put(Family::spool, key::message(message.key), encode(record));
  change.hub().spool_messages += 1;
  change.hub().spool_bytes += message.size;
  HistoryEvent event;
  event.message = message.key;
  event.sender = message.envelope.sender;
  event.message_id = message.message_id;
  event.origin = accepted.origin;
  event.size = message.size;
  for (const auto& recipient : message.envelope.recipients) {
    const bool same = recipient.original_address == recipient.address;
    event.addresses.push_back(recipient.address);
    event.originals.push_back(same ? std::string{} : recipient.original_address);
  }
  change.note(std::move(event));
  // The one reference, from the spool, is what the absence of a count says.
}

Done hold_recipients(Change& change, const Uuid& message, const std::vector<std::uint32_t>& recipients,
                     bool held) {
  auto spool = open_spool(change, message);
  if (!spool.existed) throw Refused{{Fault::not_found, "the message is not in the spool"}};
  HistoryEvent event;
  event.kind = held ? HistoryEvent::Kind::held : HistoryEvent::Kind::released;
  event.message = message;
  for (const auto index : recipients) {
    auto* entry = spool.find(index);
    if (entry == nullptr || entry->held == held) continue;
    entry->held = held;
    event.recipients.push_back(index);
  }
  if (event.recipients.empty()) return {};
  close_spool(change, spool);
  change.note(std::move(event));
  return {};
}

Done mark_trying(Change& change, const Uuid& message, const std::vector<std::uint32_t>& recipients) {
  auto spool = open_spool(change, message);
  if (!spool.existed) throw Refused{{Fault::not_found, "the message is not in the spool"}};
  bool changed = false;
  for (const auto index : recipients) {
    auto* entry = spool.find(index);
    if (entry == nullptr || entry->trying) continue;
    entry->trying = true;
    changed = true;
  }
  if (changed) close_spool(change, spool);
  return {};
}

}  // namespace dumpster::rocks
