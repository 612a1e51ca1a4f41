#include "relay/notification/postmaster_report.hpp"

#include <catch2/catch.hpp>

using namespace std::chrono_literals;
using dumpster::Instant;
using relay::notification::PostmasterReport;

namespace {

const Instant start{1'700'000'000s};

PostmasterReport::Case refused(const std::string& message_id) {
  PostmasterReport::Case one;
  one.kind = PostmasterReport::Case::Kind::failed_resubmission;
  one.message = dumpster::new_uuid(start);
  one.message_id = message_id;
  one.sender = "sender@x";
  one.recipient = "alice@x";
  one.where = "ccr1/sg1";
  one.reply = "550 5.7.1 not\r\nwanted: \x01";
  return one;
}

dumpster::NewMessage take(PostmasterReport& report, Instant now) {
  return report.take("hub1.example.test", "postmaster@x", {{"postmaster@x", "postmaster@x", {}, 1}}, now);
}

}  // namespace

TEST_CASE("cases that come together are one report, and reports are far apart") {
  PostmasterReport report;
  CHECK_FALSE(report.due(start));
  report.add(refused("a@x"), start);
  CHECK_FALSE(report.due(start + 4s));
  report.add(refused("b@x"), start + 4s);
  CHECK(report.due(start + 5s));
  const auto mail = take(report, start + 5s);
  CHECK(mail.body.find("a@x") != std::string::npos);
  CHECK(mail.body.find("b@x") != std::string::npos);
  CHECK(report.empty());
  report.add(refused("c@x"), start + 6s);
  CHECK_FALSE(report.due(start + 60s));
  CHECK(report.due(start + 5min + 5s));
}

TEST_CASE("thousands of cases stay one mail of bounded size that says how many there were") {
  PostmasterReport report;
  for (int i = 0; i < 5000; ++i)
    report.add(refused(std::to_string(i) + "@x"), start);
  const auto mail = take(report, start + 5s);
  CHECK(mail.message.chunks == 1);
  CHECK(mail.body.size() == mail.message.size);
  CHECK(mail.body.find("And 4900 more") != std::string::npos);
  CHECK(mail.body.find("told of: 5000") != std::string::npos);
}

TEST_CASE("the report is mail from nobody, in ASCII, and no next hop's words break its lines") {
  PostmasterReport report;
  report.add(refused("a@x"), start);
  const auto mail = take(report, start + 5s);
  CHECK(mail.message.envelope.sender.empty());
  CHECK(mail.message.envelope.recipients.at(0).address == "postmaster@x");
  CHECK(mail.body.find("550 5.7.1 not??wanted: ?") != std::string::npos);
  CHECK(mail.body.find("Auto-Submitted: auto-generated\r\n") != std::string::npos);
  for (std::size_t i = 0; i < mail.body.size(); ++i) {
    if (mail.body[i] == '\n') REQUIRE(mail.body[i - 1] == '\r');
    REQUIRE(static_cast<unsigned char>(mail.body[i]) < 128);
  }
}
