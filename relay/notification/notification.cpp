#include "relay/notification/notification.hpp"

#include <mimetic/mimetic.h>

#include <algorithm>
#include <memory>
#include <sstream>
#include <string_view>
#include <utility>

#include "relay/notification/delivery_status.hpp"
#include "relay/notification/mime_text.hpp"
#include "relay/notification/returned_message.hpp"
#include "relay/smtp/date.hpp"
#include "relay/smtp/text.hpp"

namespace relay::notification {
namespace {

/// A part whose text goes out as it is: mimetic would write a message/rfc822 part from a parsed message,
/// which is not the message that was received.
class VerbatimPart : public mimetic::MimeEntity {
 public:
  VerbatimPart(const std::string& content_type, const std::string& encoding, std::string text)
      : text_(std::move(text)) {
    header().push_back(mimetic::Field("Content-Type", content_type));
    header().push_back(mimetic::Field("Content-Transfer-Encoding", encoding));
  }

 protected:
  std::ostream& write(std::ostream& output, const char*) const override {
    for (const auto& field : header())
      output << field.name() << ": " << field.value() << "\r\n";
    return output << "\r\n" << text_;
  }

 private:
  std::string text_;
};

std::string_view subject_of(Kind kind) {
  switch (kind) {
    case Kind::failure:
      return "Undelivered mail returned to sender";
    case Kind::delay:
      return "Delayed mail, still being tried";
    case Kind::relayed:
      return "Mail handed on";
    case Kind::success:
      break;
  }
  return "Mail delivered";
}

/// A boundary that is in none of the parts. The id is new, so that whoever wrote the original cannot have
/// known it.
std::string boundary_for(const std::string& id, const std::vector<std::string_view>& parts) {
  auto boundary = "report-" + id;
  const auto inside = [&boundary](std::string_view part) {
    return part.find(boundary) != std::string_view::npos;
  };
  while (std::any_of(parts.begin(), parts.end(), inside))
    boundary += 'x';
  return boundary;
}

std::string sender_field(const std::string& sender) {
  auto address = sender;
  std::replace_if(
      address.begin(), address.end(), [](char c) { return (c >= 0 && c < ' ') || c == 127; }, '?');
  return '<' + address + '>';
}

std::string text_of(const NotificationRequest& request, const std::vector<RecipientStatus>& recipients) {
  const auto id = dumpster::to_string(request.key);
  const auto hub = printable(request.hub_name, 255);
  auto words = explanation(request, recipients);
  auto status = delivery_status(request, recipients);
  auto returned = returned_message(request);
  const auto boundary = boundary_for(id, {words, status, returned.text});

  mimetic::MimeEntity report;
  auto& header = report.header();
  const auto add = [&header](const char* name, const std::string& value) {
    header.push_back(mimetic::Field(name, value));
  };
  add("From", "\"Mail Delivery System\" <MAILER-DAEMON@" + hub + '>');
  add("To", sender_field(request.original.envelope.sender));
  add("Subject", std::string{subject_of(request.kind)});
  add("Date", smtp::to_rfc5322(request.now));
  add("Message-ID", '<' + id + '@' + hub + '>');
  add("Auto-Submitted", "auto-replied");
  add("MIME-Version", "1.0");
  add("Content-Type", "multipart/report; report-type=delivery-status; boundary=\"" + boundary + '"');
  auto& parts = report.body().parts();
  const auto attach = [&parts](const char* type, const std::string& encoding, std::string text) {
    parts.push_back(new VerbatimPart(type, encoding, std::move(text)));  // the list deletes its parts
  };
  attach("text/plain; charset=us-ascii", "7bit", std::move(words));
  attach("message/delivery-status", "7bit", std::move(status));
  attach(returned.content_type.c_str(), returned.transfer_encoding, std::move(returned.text));
  std::ostringstream output;
  output << report;
  return output.str();
}

}  // namespace

std::optional<dumpster::NewMessage> build_notification(const NotificationRequest& request) {
  const auto& sender = request.original.envelope.sender;
  if (sender.empty()) return std::nullopt;
  const auto recipients = recipients_to_tell(request);
  if (recipients.empty()) return std::nullopt;
  dumpster::NewMessage notification;
  notification.body = text_of(request, recipients);
  auto& message = notification.message;
  message.key = request.key;
  message.received_at = request.now;
  message.message_id = dumpster::to_string(request.key) + '@' + printable(request.hub_name, 255);
  message.size = notification.body.size();
  message.chunks =
      static_cast<std::uint32_t>((message.size + dumpster::body_chunk_size - 1) / dumpster::body_chunk_size);
  if (smtp::has_non_ascii(sender)) {
    message.envelope.smtputf8 = true;
    message.envelope.body_type = dumpster::BodyType::eight_bit_mime;
  }
  message.envelope.recipients.push_back({sender, sender, {}, dumpster::notify::never});
  return notification;
}

}  // namespace relay::notification
