#pragma once

#include <optional>
#include <string>
#include <vector>

#include "dumpster/rocksdb/change.hpp"
#include "dumpster/store.hpp"

namespace dumpster::rocks {

// Changes of the spool and of bodies, as `Store` describes them.

void append_chunk(Change& change, const Uuid& message, std::uint32_t chunk, std::string_view bytes);
void abandon_body(Change& change, const Uuid& message);
void accept(Change& change, const NewMessage& accepted);
Done hold_recipients(Change& change, const Uuid& message, const std::vector<std::uint32_t>& recipients,
                     bool held);
Done mark_trying(Change& change, const Uuid& message, const std::vector<std::uint32_t>& recipients);

/// A spool record that is being changed.
struct OpenSpool {
  Uuid message;
  bool existed = false;
  SpoolRecord record;

  SpoolEntry* find(std::uint32_t index);
  void erase(std::uint32_t index);
};

/// The spool record of a message, an empty one where there is none.
OpenSpool open_spool(const Change& change, const Uuid& message);
/// Writes it back; without entries it goes, and with it its reference to the message.
void close_spool(Change& change, const OpenSpool& spool);

/// The immutable part; `damaged` when it is not there.
Message message_record(const Change& change, const Uuid& message);

}  // namespace dumpster::rocks
