#include "relay/notification/delivery_status.hpp"

#include <algorithm>

#include "relay/notification/mime_text.hpp"
#include "relay/smtp/date.hpp"
#include "relay/smtp/text.hpp"

namespace relay::notification {
namespace {

constexpr std::size_t max_words = 700;  // of a next hop: a field stays below 998 octets with its name

bool wants(std::uint8_t notify, Kind kind) {
  namespace bits = dumpster::notify;
  switch (kind) {
    case Kind::failure:
      return notify == 0 || (notify & bits::failure) != 0;
    case Kind::delay:
      return notify == 0 || (notify & bits::delay) != 0;
    case Kind::success:
    case Kind::relayed:
      return (notify & bits::success) != 0;
  }
  return false;
}

std::string_view action_of(Kind kind) {
  switch (kind) {
    case Kind::failure:
      return "failed";
    case Kind::delay:
      return "delayed";
    case Kind::relayed:
      return "relayed";
    case Kind::success:
      break;
  }
  return "delivered";
}

std::string status_of(const smtp::Reply& reply) {
  if (!reply.enhanced.empty()) return printable(reply.enhanced, 16);
  if (reply.code >= 500) return "5.0.0";
  return reply.code >= 400 ? "4.0.0" : "2.0.0";
}

/// One line: code, enhanced code and text.
std::string words_of(const smtp::Reply& reply) {
  auto text = reply.text;
  std::replace(text.begin(), text.end(), '\n', ' ');
  const auto enhanced = reply.enhanced.empty() ? std::string{} : printable(reply.enhanced, 16) + ' ';
  return std::to_string(reply.code) + ' ' + enhanced + printable(text, max_words);
}

const dumpster::Recipient& recipient_of(const NotificationRequest& request, const RecipientStatus& status) {
  return request.original.envelope.recipients[status.index];
}

/// As the sender said it; aliases stay inside.
std::string_view named(const dumpster::Recipient& recipient) {
  return recipient.original_address.empty() ? recipient.address : recipient.original_address;
}

/// `type;address` of ORCPT with its xtext decoded, or nothing when it is malformed.
std::string original_recipient(const std::string& value) {
  const auto semicolon = value.find(';');
  if (semicolon == std::string::npos) return {};
  const auto address = value.substr(semicolon + 1);
  const auto plain = smtp::is_xtext(address) ? smtp::xtext_decode(address) : address;
  return printable(value.substr(0, semicolon), 64) + ';' + ascii_address(plain);
}

std::string recipient_fields(const NotificationRequest& request, const RecipientStatus& status) {
  const auto& recipient = recipient_of(request, status);
  const auto address = named(recipient);
  std::string fields;
  if (const auto original = original_recipient(recipient.original_recipient); !original.empty()) {
    fields += "Original-Recipient: " + original + "\r\n";
  }
  fields += smtp::has_non_ascii(address) ? "Final-Recipient: utf-8; " : "Final-Recipient: rfc822; ";
  fields += ascii_address(address) + "\r\n";
  fields += "Action: " + std::string{action_of(status.kind.value_or(request.kind))} + "\r\n";
  fields += "Status: " + status_of(status.reply) + "\r\n";
  if (!status.remote_mta.empty()) fields += "Remote-MTA: dns; " + printable(status.remote_mta, 255) + "\r\n";
  fields += "Diagnostic-Code: smtp; " + words_of(status.reply) + "\r\n";
  fields += "Last-Attempt-Date: " + smtp::to_rfc5322(request.now) + "\r\n";
  if (request.kind == Kind::delay && request.retry_until) {
    fields += "Will-Retry-Until: " + smtp::to_rfc5322(*request.retry_until) + "\r\n";
  }
  return fields;
}

std::string_view opening(Kind kind) {
  switch (kind) {
    case Kind::failure:
      return "Your message could not be delivered to the recipients below. It has been given up.\r\n";
    case Kind::delay:
      return "Your message could not be delivered to the recipients below yet. It is still being\r\n"
             "tried; you need not send it again.\r\n";
    case Kind::relayed:
      return "Your message has been handed to the next mail server of the recipients below, which may\r\n"
             "not tell you what becomes of it.\r\n";
    case Kind::success:
      break;
  }
  return "Your message has been delivered to the recipients below.\r\n";
}

}  // namespace

std::vector<RecipientStatus> recipients_to_tell(const NotificationRequest& request) {
  const auto& recipients = request.original.envelope.recipients;
  std::vector<RecipientStatus> told;
  for (const auto& status : request.recipients) {
    if (status.index < recipients.size() &&
        wants(recipients[status.index].notify, status.kind.value_or(request.kind))) {
      told.push_back(status);
    }
  }
  return told;
}

std::string delivery_status(const NotificationRequest& request,
                            const std::vector<RecipientStatus>& recipients) {
  const auto& envelope_id = request.original.envelope.envelope_id;
  std::string fields;
  if (!envelope_id.empty() && smtp::is_xtext(envelope_id)) {
    fields += "Original-Envelope-Id: " + printable(smtp::xtext_decode(envelope_id), max_words) + "\r\n";
  }
  fields += "Reporting-MTA: dns; " + printable(request.hub_name, 255) + "\r\n";
  fields += "Arrival-Date: " + smtp::to_rfc5322(request.original.received_at) + "\r\n";
  for (const auto& status : recipients)
    fields += "\r\n" + recipient_fields(request, status);
  return fields;
}

std::string explanation(const NotificationRequest& request, const std::vector<RecipientStatus>& recipients) {
  auto text = "This is the mail system at " + printable(request.hub_name, 255) + ".\r\n\r\n" +
              std::string{opening(request.kind)};
  if (request.kind == Kind::delay && request.retry_until) {
    text += "It will be tried until " + smtp::to_rfc5322(*request.retry_until) + ".\r\n";
  }
  for (const auto& status : recipients) {
    text += "\r\n<" + ascii_address(named(recipient_of(request, status))) + ">:\r\n    ";
    if (!status.remote_mta.empty()) text += printable(status.remote_mta, 255) + " said: ";
    text += words_of(status.reply) + "\r\n";
    const auto kind = status.kind.value_or(request.kind);
    if (kind != request.kind) text += "    (" + std::string{action_of(kind)} + ")\r\n";
  }
  return text;
}

}  // namespace relay::notification
