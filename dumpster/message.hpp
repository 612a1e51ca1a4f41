#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "dumpster/instant.hpp"
#include "dumpster/uuid.hpp"

namespace dumpster {

/// The most bytes of a body that one chunk holds. Memory per session and per delivery is bounded by a few
/// chunks, whatever the size of the message.
inline constexpr std::size_t body_chunk_size = 64 * 1024;

/// RFC 6152 and RFC 3030: what the client declared about the bytes of the message.
enum class BodyType : std::uint8_t { seven_bit = 0, eight_bit_mime = 1, binary_mime = 2 };

/// RFC 3461 4.3: what a notification is to contain.
enum class NotifyReturn : std::uint8_t { unspecified = 0, full = 1, headers = 2 };

/// RFC 3461 4.1: bits; none set means that the client did not say, which is `failure`.
namespace notify {
inline constexpr std::uint8_t never = 1, success = 2, failure = 4, delay = 8;
}

/// One recipient as accepted. It never changes; what becomes of it stands in its spool entry.
struct Recipient {
  std::string address;             ///< what delivery says in RCPT TO; after aliases, with `+detail`
  std::string original_address;    ///< what the client said in RCPT TO
  std::string original_recipient;  ///< RFC 3461 ORCPT as given, still xtext; empty when absent
  std::uint8_t notify = 0;         ///< bits of `notify`

  bool operator==(const Recipient&) const = default;
};

/// The envelope as accepted; resubmission uses all of it again.
struct Envelope {
  std::string sender;  ///< empty: the null sender
  BodyType body_type = BodyType::seven_bit;
  bool smtputf8 = false;
  bool require_tls = false;
  NotifyReturn notify_return = NotifyReturn::unspecified;
  std::string envelope_id;  ///< RFC 3461 ENVID as given, still xtext
  std::vector<Recipient> recipients;

  bool operator==(const Envelope&) const = default;
};

/// A message that was answered with `250`. Immutable. Its body lies beside it in chunks 0 … chunks-1, each of
/// `body_chunk_size` but the last.
struct Message {
  Uuid key;  ///< chosen by the server before anything is written
  Instant received_at{};
  Envelope envelope;
  std::string message_id;  ///< of the Message-ID field, without angle brackets; empty when there is none
  std::uint64_t size = 0;  ///< bytes as stored, with the Received field, without the id field
  std::uint32_t chunks = 0;

  bool operator==(const Message&) const = default;
};

}  // namespace dumpster
