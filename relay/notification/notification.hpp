#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "dumpster/instant.hpp"
#include "dumpster/message.hpp"
#include "dumpster/store.hpp"
#include "dumpster/uuid.hpp"
#include "relay/smtp/server_machine.hpp"

namespace relay::notification {

enum class Kind : std::uint8_t {
  failure,  ///< refused for good, or too old
  delay,    ///< still being tried
  success,  ///< delivered, and the sender had asked to be told
  relayed,  ///< handed to a next hop that tells nobody (RFC 3461 6.2.2), and the sender had asked to be told
};

/// What is to be said about one recipient.
struct RecipientStatus {
  std::uint32_t index = 0;  ///< place in the message's envelope
  smtp::Reply reply;        ///< the last words about it; a code that does not fit the kind is told as it is
  std::string remote_mta;   ///< host that said so; empty: the hub itself
  std::optional<Kind> kind = std::nullopt;  ///< where it is not that of the whole report
};

/// All that a notification is made of.
struct NotificationRequest {
  Kind kind = Kind::failure;
  dumpster::Message original;
  std::vector<RecipientStatus> recipients;
  /// The beginning of the original as stored, at least its header as far as it is to be returned; or all of
  /// it.
  std::string original_text;
  bool whole = false;                            ///< `original_text` is all of it
  std::optional<dumpster::Instant> retry_until;  ///< for delays
  dumpster::Uuid key;                            ///< of the notification: becomes its Message-ID, too
  dumpster::Instant now{};
  std::string hub_name;
};

/// The most bytes of an original that RET=FULL gives back; larger ones are returned as headers.
inline constexpr std::size_t max_returned_message = 16 * 1024;

/// Builds the notification (RFC 3464, RFC 6522), ready for the store: null sender, the original's sender as
/// the only recipient, NOTIFY=NEVER. Nothing when there is nobody to tell or nothing to say: the original has
/// the null sender, or no recipient's NOTIFY (RFC 3461 4.1) asks for this kind; an index outside the envelope
/// is passed over.
///
/// The text has CRLF line ends alone, no line above 998 octets, and is ASCII but for the `To` of a sender who
/// is not (then the envelope says SMTPUTF8). Nothing in the original can end a part or add a field. The
/// recipient is named as the sender named it: what aliases stand for stays inside. With hundreds of
/// recipients the text can be longer than `dumpster::body_chunk_size`: the owner then hands it over in
/// chunks.
std::optional<dumpster::NewMessage> build_notification(const NotificationRequest& request);

}  // namespace relay::notification
