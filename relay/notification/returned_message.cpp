#include "relay/notification/returned_message.hpp"

#include <string_view>

#include "relay/notification/mime_text.hpp"
#include "relay/smtp/text.hpp"

namespace relay::notification {
namespace {

/// The header as lines with CRLF, without the empty line behind it; cut behind a line where it is too long.
std::string header_of(std::string_view text) {
  std::string header;
  while (!text.empty()) {
    const auto end = text.find('\n');
    const auto line = canonical_lines(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line == "\r\n" || line.empty() || header.size() + line.size() > max_returned_message) break;
    header += line;
  }
  return header;
}

bool wants_all(const NotificationRequest& request) {
  return request.kind == Kind::failure && request.whole &&
         request.original.envelope.notify_return == dumpster::NotifyReturn::full;
}

}  // namespace

ReturnedMessage returned_message(const NotificationRequest& request) {
  const std::string_view text = request.original_text;
  if (wants_all(request) && text.size() <= max_returned_message && !smtp::has_non_ascii(text) &&
      canonical_lines(text) == text) {
    return {"message/rfc822", "7bit", std::string{text}};
  }
  auto header = header_of(text);
  if (!smtp::has_non_ascii(header)) return {"text/rfc822-headers", "7bit", std::move(header)};
  return {"text/rfc822-headers", "quoted-printable", quoted_printable(header)};
}

}  // namespace relay::notification
