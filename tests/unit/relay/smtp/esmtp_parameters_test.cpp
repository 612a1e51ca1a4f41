#include "relay/smtp/esmtp_parameters.hpp"

#include <catch2/catch.hpp>

namespace relay::smtp {
namespace {

int mail_code(const std::string& text) {
  const auto parsed = parse_mail_parameters(text);
  const auto* refusal = std::get_if<Reply>(&parsed);
  return refusal == nullptr ? 250 : refusal->code;
}

int recipient_code(const std::string& text, bool smtputf8 = false) {
  const auto parsed = parse_recipient_parameters(text, smtputf8);
  const auto* refusal = std::get_if<Reply>(&parsed);
  return refusal == nullptr ? 250 : refusal->code;
}

}  // namespace

TEST_CASE("the parameters of MAIL are read in any order and case") {
  const auto parsed = parse_mail_parameters("  smtputf8 ENVID=a+2Bb ret=hdrs Body=8bitmime SIZE=1234 ");
  const auto& parameters = std::get<MailParameters>(parsed);
  CHECK(parameters.size == 1234U);
  CHECK(parameters.body_type == dumpster::BodyType::eight_bit_mime);
  CHECK(parameters.smtputf8);
  CHECK(parameters.notify_return == dumpster::NotifyReturn::headers);
  CHECK(parameters.envelope_id == "a+2Bb");
}

TEST_CASE("a parameter of MAIL with a bad value, or twice, is 501; an unknown one is 555") {
  for (const std::string text : {" SIZE",
                                 " SIZE=",
                                 " SIZE=-1",
                                 " SIZE=1x",
                                 " SIZE=123456789012345678901",
                                 " SIZE=1 SIZE=1",
                                 " BODY=9BIT",
                                 " BODY",
                                 " BODY=BINARYMIME",
                                 " BODY=7BIT BODY=7BIT",
                                 " SMTPUTF8=1",
                                 " SMTPUTF8 SMTPUTF8",
                                 " RET=ALL",
                                 " RET",
                                 " RET=FULL RET=FULL",
                                 " ENVID=",
                                 " ENVID=a+2",
                                 " ENVID=a+zz",
                                 " ENVID=a=b",
                                 " ENVID=\xC3\xBC",
                                 "SIZE=1",
                                 " ENVID=a ENVID=a"}) {
    INFO(text);
    CHECK(mail_code(text) == 501);
  }
  CHECK(mail_code(" ENVID=" + std::string(100, 'a')) == 250);
  CHECK(mail_code(" ENVID=" + std::string(101, 'a')) == 501);
  for (const std::string text : {" AUTH=<>", " REQUIRETLS", " X", " =", " SIZES=1", " NOTIFY=NEVER"}) {
    INFO(text);
    CHECK(mail_code(text) == 555);
  }
}

TEST_CASE("a size of more than 64 bits is valid and the largest there is") {
  const auto parsed = parse_mail_parameters(" SIZE=99999999999999999999");
  CHECK(std::get<MailParameters>(parsed).size == UINT64_MAX);
}

TEST_CASE("the parameters of RCPT are read in any order and case") {
  const auto parsed = parse_recipient_parameters(" orcpt=rfc822;a+40b notify=success,DELAY", false);
  const auto& parameters = std::get<RecipientParameters>(parsed);
  CHECK(parameters.notify == (dumpster::notify::success | dumpster::notify::delay));
  CHECK(parameters.original_recipient == "rfc822;a+40b");
  CHECK(std::get<RecipientParameters>(parse_recipient_parameters(" NOTIFY=NEVER", false)).notify ==
        dumpster::notify::never);
}

TEST_CASE("a parameter of RCPT with a bad value, or twice, is 501; an unknown one is 555") {
  for (const std::string text :
       {" NOTIFY", " NOTIFY=", " NOTIFY=NEVER,FAILURE", " NOTIFY=FAILURE,", " NOTIFY=,FAILURE",
        " NOTIFY=SOMETIMES", " NOTIFY=NEVER NOTIFY=NEVER", " ORCPT", " ORCPT=", " ORCPT=a@b", " ORCPT=;a",
        " ORCPT=rfc822;", " ORCPT=rfc822;a=b", " ORCPT=rfc822;a+4", " ORCPT=rfc822;\xC3\xBC", " ORCPT=a b;c",
        " ORCPT=a;b ORCPT=a;b"}) {
    INFO(text);
    CHECK(recipient_code(text) == 501);
  }
  CHECK(recipient_code(" SIZE=1") == 555);
  CHECK(recipient_code(" ORCPT=rfc822;" + std::string(493, 'a')) == 250);
  CHECK(recipient_code(" ORCPT=rfc822;" + std::string(494, 'a')) == 501);
}

TEST_CASE("ORCPT may be UTF-8 only of the type utf-8 and only with SMTPUTF8") {
  CHECK(recipient_code(" ORCPT=utf-8;\xC3\xBC@example.test", true) == 250);
  CHECK(recipient_code(" ORCPT=utf-8;\xC3\xBC@example.test", false) == 501);
  CHECK(recipient_code(" ORCPT=rfc822;\xC3\xBC@example.test", true) == 501);
  CHECK(recipient_code(" ORCPT=utf-8;\xFC@example.test", true) == 501);
}

}  // namespace relay::smtp
