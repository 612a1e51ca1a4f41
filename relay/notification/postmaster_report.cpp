#include "relay/notification/postmaster_report.hpp"

#include <mimetic/mimetic.h>

#include <sstream>

#include "relay/notification/mime_text.hpp"
#include "relay/smtp/date.hpp"
#include "relay/smtp/text.hpp"

namespace relay::notification {
namespace {

constexpr std::size_t most_cases = 100;
constexpr std::chrono::seconds gathering{5};
constexpr std::chrono::minutes between_reports{5};
constexpr std::size_t longest_word = 300;

std::string text_of(const PostmasterReport::Case& one) {
  const bool failed = one.kind == PostmasterReport::Case::Kind::failed_resubmission;
  const auto line = [](const char* name, const std::string& value) {
    return "    " + std::string{name} + printable(value.empty() ? "-" : value, longest_word) + "\r\n";
  };
  std::string text = failed ? "A resubmission that the node refused; it stays in the dumpster as failed:\r\n"
                            : "A notification that could not be delivered itself:\r\n";
  text += line("message     ", dumpster::to_string(one.message));
  text += line("Message-ID  ", one.message_id);
  if (failed) text += line("from        ", one.sender);
  text += line("to          ", ascii_address(one.recipient));
  text += line("through     ", one.where);
  text += line("reply       ", one.reply);
  return text + "\r\n";
}

}  // namespace

void PostmasterReport::add(Case one, dumpster::Instant now) {
  if (count_++ == 0) first_ = now;
  if (cases_.size() < most_cases) cases_.push_back(std::move(one));
}

bool PostmasterReport::due(dumpster::Instant now) const {
  if (empty() || now < first_ + gathering) return false;
  return !last_report_ || now >= *last_report_ + between_reports;
}

std::uint64_t PostmasterReport::drop() {
  cases_.clear();
  return std::exchange(count_, 0);
}

dumpster::NewMessage PostmasterReport::take(const std::string& hub_name, const std::string& postmaster,
                                            std::vector<dumpster::Recipient> recipients,
                                            dumpster::Instant now) {
  const auto hub = printable(hub_name, 255);
  const auto key = dumpster::new_uuid(now);
  const auto id = dumpster::to_string(key) + '@' + hub;
  std::string text = "This is the mail system at " + hub + ".\r\n\r\n";
  for (const auto& one : cases_)
    text += text_of(one);
  if (count_ > cases_.size())
    text += "And " + std::to_string(count_ - cases_.size()) + " more, which stand in the log.\r\n";

  mimetic::MimeEntity mail;
  const auto add_field = [&mail](const char* name, const std::string& value) {
    mail.header().push_back(mimetic::Field(name, value));
  };
  add_field("From", "\"Mail Delivery System\" <MAILER-DAEMON@" + hub + '>');
  add_field("To", '<' + ascii_address(postmaster) + '>');
  add_field("Subject", "Mail that nobody else can be told of: " + std::to_string(count_));
  add_field("Date", smtp::to_rfc5322(now));
  add_field("Message-ID", '<' + id + '>');
  add_field("Auto-Submitted", "auto-generated");
  add_field("MIME-Version", "1.0");
  add_field("Content-Type", "text/plain; charset=us-ascii");
  std::ostringstream header;
  for (const auto& field : mail.header())
    header << field.name() << ": " << field.value() << "\r\n";

  dumpster::NewMessage made;
  made.body = header.str() + "\r\n" + text;
  made.origin = "report to the postmaster";
  auto& message = made.message;
  message.key = key;
  message.received_at = now;
  message.message_id = id;
  message.size = made.body.size();
  message.chunks =
      static_cast<std::uint32_t>((message.size + dumpster::body_chunk_size - 1) / dumpster::body_chunk_size);
  message.envelope.recipients = std::move(recipients);
  last_report_ = now;
  drop();
  return made;
}

}  // namespace relay::notification
