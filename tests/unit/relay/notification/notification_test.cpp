#include "relay/notification/notification.hpp"

#include <catch2/catch.hpp>
#include <random>

#include "relay/smtp/data_decoder.hpp"
#include "relay/smtp/data_encoder.hpp"
#include "relay/smtp/header_scanner.hpp"

namespace relay::notification {
namespace {

const std::string header =
    "Received: from a\r\n\tby b\r\nFrom: <alice@example.test>\r\nSubject: hello\r\nMessage-ID: "
    "<one@example.test>\r\n";

NotificationRequest ordinary() {
  NotificationRequest request;
  request.original.envelope.sender = "alice@example.test";
  request.original.envelope.recipients = {
      {"bob@inner.test", "bob@example.test", "rfc822;Bob+40example.test", 0},
      {"carol@example.test", "carol@example.test", "", 0}};
  request.original.received_at = dumpster::Instant{std::chrono::seconds{1769860800}};
  request.recipients = {{0, {550, "5.1.1", "no such user"}, "node1.example.test"}};
  request.original_text = header + "\r\nthe body\r\n";
  request.whole = true;
  request.key = *dumpster::uuid_from("0192f5c4-7d1e-7a30-9f6b-3f1c2b7a9d10");
  request.now = dumpster::Instant{std::chrono::seconds{1769864400}};
  request.hub_name = "hub1.example.test";
  return request;
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t found = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + part.size()))
    ++found;
  return found;
}

/// What every notification must be: our own server takes it, its lines are short, it is ASCII, it has three
/// parts.
void check_form(const std::string& text) {
  smtp::DataEncoder encoder;
  std::string wire;
  REQUIRE(encoder.encode(text, wire));
  REQUIRE(encoder.finish(wire));
  smtp::DataDecoder decoder;
  std::string_view input = wire;
  std::string decoded;
  auto step = decoder.decode(input);
  for (; step.kind == smtp::DataDecoder::Kind::bytes; step = decoder.decode(input))
    decoded += step.bytes;
  CHECK(step.kind == smtp::DataDecoder::Kind::end);
  CHECK(input.empty());
  CHECK(decoded == text);
  for (std::size_t at = 0; at < text.size();) {
    const auto end = text.find("\r\n", at);
    REQUIRE(end != std::string::npos);
    CHECK(end - at <= 998);
    at = end + 2;
  }
  CHECK(std::all_of(text.begin(), text.end(), [](char c) { return c > 0 && c < 127; }));
  const std::string quoted = "boundary=\"";
  const auto start = text.find(quoted);
  REQUIRE(start != std::string::npos);
  const auto boundary =
      text.substr(start + quoted.size(), text.find('"', start + quoted.size()) - start - quoted.size());
  CHECK(count(text, "\r\n--" + boundary + "\r\n") == 3);
  CHECK(count(text, "\r\n--" + boundary + "--\r\n") == 1);
  CHECK(count(text, boundary) == 5);
}

}  // namespace

TEST_CASE("a failure is reported in three parts, with the null sender") {
  const auto notification = build_notification(ordinary());
  REQUIRE(notification);
  const auto& text = notification->body;
  check_form(text);
  CHECK(has(text, "From: \"Mail Delivery System\" <MAILER-DAEMON@hub1.example.test>\r\n"));
  CHECK(has(text, "\r\nTo: <alice@example.test>\r\n"));
  CHECK(has(text, "\r\nSubject: Undelivered mail returned to sender\r\n"));
  CHECK(has(text, "\r\nDate: Sat, 31 Jan 2026 13:00:00 +0000\r\n"));
  CHECK(has(text, "\r\nAuto-Submitted: auto-replied\r\n"));
  CHECK(has(text, "\r\nMIME-Version: 1.0\r\n"));
  CHECK(has(text, "Content-Type: multipart/report; report-type=delivery-status;"));
  CHECK(has(text,
            "\r\nReporting-MTA: dns; hub1.example.test\r\nArrival-Date: Sat, 31 Jan 2026 12:00:00 +0000\r\n"
            "\r\nOriginal-Recipient: rfc822;Bob@example.test\r\nFinal-Recipient: rfc822; bob@example.test\r\n"
            "Action: failed\r\nStatus: 5.1.1\r\nRemote-MTA: dns; node1.example.test\r\n"
            "Diagnostic-Code: smtp; 550 5.1.1 no such user\r\n"));
  CHECK(has(text, "Content-Type: text/rfc822-headers\r\n"));
  CHECK(has(text, header));
  CHECK_FALSE(has(text, "the body"));
  CHECK_FALSE(has(text, "carol"));
  CHECK_FALSE(has(text, "inner.test"));
  smtp::HeaderScanner scanner;
  scanner.feed(text);
  CHECK(scanner.message_id() == "0192f5c4-7d1e-7a30-9f6b-3f1c2b7a9d10@hub1.example.test");
  CHECK(scanner.received_fields() == 0);
  const auto& message = notification->message;
  CHECK(message.envelope.sender.empty());
  REQUIRE(message.envelope.recipients.size() == 1);
  CHECK(message.envelope.recipients[0].address == "alice@example.test");
  CHECK(message.envelope.recipients[0].notify == dumpster::notify::never);
  CHECK(message.message_id == scanner.message_id());
  CHECK(message.size == text.size());
  CHECK(message.chunks == 1);
  CHECK(message.key == ordinary().key);
}

TEST_CASE("the null sender is never notified") {
  auto request = ordinary();
  request.original.envelope.sender.clear();
  CHECK_FALSE(build_notification(request));
}

TEST_CASE("NOTIFY decides who is told of what") {
  namespace notify = dumpster::notify;
  struct Case {
    std::uint8_t notify;
    bool failure, delay, success;
  };
  for (const auto& tried :
       {Case{0, true, true, false}, Case{notify::never, false, false, false},
        Case{notify::failure, true, false, false}, Case{notify::delay, false, true, false},
        Case{notify::success, false, false, true},
        Case{notify::success | notify::failure, true, false, true}}) {
    auto request = ordinary();
    request.original.envelope.recipients[0].notify = tried.notify;
    INFO(int{tried.notify});
    request.kind = Kind::failure;
    CHECK(build_notification(request).has_value() == tried.failure);
    request.kind = Kind::delay;
    CHECK(build_notification(request).has_value() == tried.delay);
    request.kind = Kind::success;
    CHECK(build_notification(request).has_value() == tried.success);
  }
}

TEST_CASE("only the recipients that want it are named; a place outside the envelope is passed over") {
  auto request = ordinary();
  request.recipients.push_back({1, {450, "", "busy"}, ""});
  request.recipients.push_back({9, {550, "", "nobody"}, ""});
  auto text = build_notification(request)->body;
  check_form(text);
  CHECK(count(text, "Final-Recipient:") == 2);
  CHECK(has(text, "Status: 4.0.0\r\nDiagnostic-Code: smtp; 450 busy\r\n"));
  request.original.envelope.recipients[1].notify = dumpster::notify::never;
  text = build_notification(request)->body;
  CHECK(count(text, "Final-Recipient:") == 1);
}

TEST_CASE("delays and successes say so") {
  auto request = ordinary();
  request.kind = Kind::delay;
  request.retry_until = request.now + std::chrono::hours{24};
  auto text = build_notification(request)->body;
  check_form(text);
  CHECK(has(text, "Action: delayed\r\n"));
  CHECK(has(text, "Will-Retry-Until: Sun, 1 Feb 2026 13:00:00 +0000\r\n"));
  request.kind = Kind::success;
  request.original.envelope.recipients[0].notify = dumpster::notify::success;
  request.recipients[0].reply = {250, "2.1.5", "stored"};
  text = build_notification(request)->body;
  check_form(text);
  CHECK(has(text, "Action: delivered\r\nStatus: 2.1.5\r\n"));
}

TEST_CASE("with RET=FULL a small whole message comes back as it was; nothing else does") {
  auto request = ordinary();
  request.original.envelope.notify_return = dumpster::NotifyReturn::full;
  request.original.envelope.envelope_id = "x+3Dy";
  auto text = build_notification(request)->body;
  check_form(text);
  CHECK(has(text, "Content-Type: message/rfc822\r\nContent-Transfer-Encoding: 7bit\r\n\r\n" + header +
                      "\r\nthe body\r\n"));
  CHECK(has(text, "Original-Envelope-Id: x=y\r\n"));
  const auto returns_headers = [](const NotificationRequest& changed) {
    const auto built = build_notification(changed)->body;
    check_form(built);
    return has(built, "text/rfc822-headers") && !has(built, "message/rfc822");
  };
  auto part = request;
  part.whole = false;
  CHECK(returns_headers(part));
  auto delay = request;
  delay.kind = Kind::delay;
  CHECK(returns_headers(delay));
  auto large = request;
  large.original_text += std::string(max_returned_message, 'x') + "\r\n";
  CHECK(returns_headers(large));
  auto eight_bit = request;
  eight_bit.original_text += "\xFF\r\n";
  CHECK(returns_headers(eight_bit));
  auto long_line = request;
  long_line.original_text += std::string(1000, 'x') + "\r\n";
  CHECK(returns_headers(long_line));
  auto open_end = request;
  open_end.original_text += "no line end";
  CHECK(returns_headers(open_end));
}

TEST_CASE("8-bit headers come back as quoted-printable, long ones cut behind a line") {
  auto request = ordinary();
  request.original_text = "Subject: \xC3\xBC\r\n\r\n";
  auto text = build_notification(request)->body;
  check_form(text);
  CHECK(has(text,
            "text/rfc822-headers\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nSubject: =C3=BC\r\n"));
  request.original_text.clear();
  for (int i = 0; i < 10000; ++i)
    request.original_text += "X-Line: " + std::to_string(i) + "\r\n";
  text = build_notification(request)->body;
  check_form(text);
  CHECK(text.size() < max_returned_message + 4096);
  CHECK(has(text, "X-Line: 999\r\n"));
}

TEST_CASE("a sender with UTF-8 gets a notification that says SMTPUTF8") {
  auto request = ordinary();
  request.original.envelope.sender = "\xC3\xBC@example.test";
  request.original.envelope.recipients[0].original_address = "\xC3\xB6@example.test";
  const auto notification = build_notification(request);
  CHECK(notification->message.envelope.smtputf8);
  CHECK(notification->message.envelope.body_type == dumpster::BodyType::eight_bit_mime);
  CHECK(has(notification->body, "To: <\xC3\xBC@example.test>\r\n"));
  CHECK(has(notification->body, "Final-Recipient: utf-8; \\x{F6}@example.test\r\n"));
}

TEST_CASE("nothing hostile in the original breaks the structure") {
  const std::vector<std::string> poison{
      "\r\n\r\n--report-0192f5c4-7d1e-7a30-9f6b-3f1c2b7a9d10--\r\n",
      "\r\n--report-0192f5c4-7d1e-7a30-9f6b-3f1c2b7a9d10\r\nContent-Type: text/html\r\n\r\n",
      "Content-Type: multipart/mixed; boundary=\"report-0192f5c4-7d1e-7a30-9f6b-3f1c2b7a9d10x\"\r\n",
      "\n.\n",
      "\r.\r",
      std::string(1, '\0'),
      "\xFF\xFE",
      "To: grp:\r\n",
      std::string(5000, 'y'),
      "\"",
      "(",
      "<>",
      ";",
      "=?"};
  const auto seed = std::random_device{}();
  INFO("seed " << seed);
  std::mt19937 random{seed};
  const auto spoil = [&](std::string& text) {
    for (auto times = random() % 3; times > 0; --times) {
      text.insert(random() % (text.size() + 1), poison[random() % poison.size()]);
    }
  };
  for (int round = 0; round < 300; ++round) {
    auto request = ordinary();
    request.original.envelope.notify_return = dumpster::NotifyReturn::full;
    spoil(request.original_text);
    spoil(request.recipients[0].reply.text);
    spoil(request.recipients[0].reply.enhanced);
    spoil(request.recipients[0].remote_mta);
    spoil(request.original.envelope.recipients[0].original_address);
    spoil(request.original.envelope.recipients[0].original_recipient);
    spoil(request.original.envelope.envelope_id);
    const auto notification = build_notification(request);
    REQUIRE(notification);
    check_form(notification->body);
    CHECK(count(notification->body, "\r\nFinal-Recipient:") == 1);
  }
}

}  // namespace relay::notification
