#pragma once

#include <string>

#include "relay/notification/notification.hpp"

namespace relay::notification {

/// The part of a report that gives the original back.
struct ReturnedMessage {
  std::string content_type;  ///< text/rfc822-headers or message/rfc822
  std::string transfer_encoding;
  std::string text;  ///< ASCII, CRLF line ends
};

/// The whole original when RET=FULL asks for it, it is at most `max_returned_message` long and can be
/// returned as it is (ASCII, proper lines); otherwise its header, as much of it as fits in the same length.
/// Only failures return the whole (RFC 3461 4.3).
ReturnedMessage returned_message(const NotificationRequest& request);

}  // namespace relay::notification
