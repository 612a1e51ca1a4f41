#include <catch2/catch.hpp>

#include "server_dialogue.hpp"

namespace relay::smtp {
namespace {

ServerSettings lmtp() {
  ServerSettings settings;
  settings.protocol = Protocol::lmtp;
  return settings;
}

/// Code and enhanced code of one reply.
std::string code(const std::string& reply) {
  return reply.substr(0, reply.find(' ', 4));
}

const std::string mail = "MAIL FROM:<a@example.test>\r\n";
const std::string recipient = "RCPT TO:<b@example.test>\r\n";

}  // namespace

TEST_CASE("EHLO and LHLO announce exactly what is there; HELO announces nothing") {
  const std::string extensions =
      "250-hub.example\r\n250-PIPELINING\r\n250-SIZE 37748736\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n"
      "250-ENHANCEDSTATUSCODES\r\n250-DSN\r\n250-CHUNKING\r\n250 LIMITS RCPTMAX=1000\r\n";
  ServerDialogue smtp;
  CHECK(smtp.output == "220 hub.example ESMTP\r\n");
  CHECK(smtp.say("ehlo client.example\r\n") == extensions);
  CHECK(smtp.machine.client_name() == "client.example");
  CHECK(smtp.machine.transmission_type() == "ESMTP");
  CHECK(smtp.say("HELO other.example\r\n") == "250 hub.example\r\n");
  CHECK(smtp.machine.transmission_type() == "SMTP");
  CHECK(smtp.machine.client_name() == "other.example");
  ServerDialogue other{lmtp()};
  CHECK(other.say("LHLO client.example\r\n") == extensions);
  CHECK(other.machine.transmission_type() == "LMTP");
}

TEST_CASE("LMTP knows no HELO and EHLO, SMTP no LHLO") {
  ServerDialogue smtp;
  CHECK(code(smtp.say("LHLO client.example\r\n")) == "500 5.5.1");
  ServerDialogue other{lmtp()};
  CHECK(code(other.say("EHLO client.example\r\n")) == "500 5.5.1");
  CHECK(code(other.say("HELO client.example\r\n")) == "500 5.5.1");
  CHECK(code(other.say(mail)) == "503 5.5.1");
}

TEST_CASE("commands have their order") {
  ServerDialogue dialogue;
  CHECK(code(dialogue.say(mail)) == "503 5.5.1");
  dialogue.greet();
  CHECK(code(dialogue.say(recipient)) == "503 5.5.1");
  CHECK(code(dialogue.say("DATA\r\n")) == "503 5.5.1");
  CHECK(code(dialogue.say(mail)) == "250 2.1.0");
  CHECK(code(dialogue.say(mail)) == "503 5.5.1");
  CHECK(code(dialogue.say("DATA\r\n")) == "554 5.5.1");
  CHECK(code(dialogue.say(recipient)) == "250 2.1.5");
  CHECK(dialogue.refused == std::vector<std::string>(5, "sequence"));
}

TEST_CASE("in LMTP DATA without an accepted recipient is 503") {
  ServerDialogue dialogue{lmtp()};
  dialogue.greet_lmtp();
  dialogue.on_recipient = [](const RecipientCommand&) { return Reply{550, "5.1.1", "unknown"}; };
  dialogue.say(mail + recipient);
  CHECK(code(dialogue.say("DATA\r\n")) == "503 5.5.1");
}

TEST_CASE("RSET and a second EHLO forget the transaction, and only that") {
  for (const std::string command : {"RSET\r\n", "EHLO client.example\r\n", "HELO client.example\r\n"}) {
    ServerDialogue dialogue;
    dialogue.greet();
    dialogue.say(mail + recipient);
    CHECK(dialogue.machine.envelope().recipients.size() == 1);
    CHECK(dialogue.say(command).substr(0, 3) == "250");
    CHECK(dialogue.machine.envelope() == dumpster::Envelope{});
    CHECK(code(dialogue.say(recipient)) == "503 5.5.1");
    CHECK(code(dialogue.say(mail)) == "250 2.1.0");
  }
}

TEST_CASE("commands that do nothing say so and reveal nothing") {
  ServerDialogue dialogue;
  CHECK(code(dialogue.say("noop anything\r\n")) == "250 2.0.0");
  CHECK(code(dialogue.say("HELP\r\n")) == "214 2.0.0");
  const auto known = dialogue.say("VRFY postmaster\r\n");
  CHECK(code(known) == "252 2.0.0");
  CHECK(dialogue.say("VRFY nobody\r\n") == known);
  CHECK(code(dialogue.say("VRFY\r\n")) == "501 5.5.4");
  for (const std::string command : {"STARTTLS", "AUTH PLAIN", "EXPN staff", "ETRN example.test"}) {
    CHECK(code(dialogue.say(command + "\r\n")) == "502 5.5.1");
  }
  CHECK(code(dialogue.say("\r\n")) == "500 5.5.1");
  CHECK(code(dialogue.say("XYZZY\r\n")) == "500 5.5.1");
  CHECK(code(dialogue.say("MAILFROM:<a@b>\r\n")) == "500 5.5.1");
  CHECK(code(dialogue.say("RSET now\r\n")) == "501 5.5.4");
  CHECK(code(dialogue.say("EHLO\r\n")) == "501 5.5.4");
  CHECK(code(dialogue.say("EHLO a b\r\n")) == "501 5.5.4");
}

TEST_CASE("QUIT is answered with 221 and closes; nothing behind it is looked at") {
  ServerDialogue dialogue;
  CHECK(dialogue.say("QUIT\r\nNOOP\r\n") == "221 2.0.0 hub.example closing connection\r\n");
  CHECK(dialogue.closed);
  CHECK(dialogue.say("NOOP\r\n").empty());
}

TEST_CASE("a greeting other than 220 ends the session behind it") {
  ServerMachine machine{{}};
  CHECK(std::holds_alternative<ServerMachine::NeedInput>(machine.next()));
  machine.greet({421, "4.3.2", "overloaded"});
  CHECK(machine.take_output() == "421 4.3.2 overloaded\r\n");
  CHECK(std::holds_alternative<ServerMachine::Close>(machine.next()));
}

TEST_CASE("lines over 512 octets are refused but for MAIL and RCPT, which have room for their parameters") {
  ServerDialogue dialogue;
  CHECK(code(dialogue.say("NOOP " + std::string(505, 'x') + "\r\n")) == "250 2.0.0");
  CHECK(code(dialogue.say("NOOP " + std::string(506, 'x') + "\r\n")) == "500 5.5.2");
  dialogue.greet();
  CHECK(code(dialogue.say("MAIL FROM:<a@b> ENVID=" + std::string(100, 'x') + std::string(600, ' ') +
                          "\r\n")) == "250 2.1.0");
  CHECK(code(dialogue.say("RCPT TO:<a@b> ORCPT=rfc822;" + std::string(490, 'x') + "\r\n")) == "250 2.1.5");
  CHECK(code(dialogue.say("RCPT TO:<" + std::string(3000, 'x') + "@b>\r\n")) == "500 5.5.2");
  CHECK(code(dialogue.say("NOOP\r\n")) == "250 2.0.0");
}

TEST_CASE("a command with NUL or a bare CR is refused, one with a bare LF ends the session") {
  ServerDialogue dialogue;
  dialogue.greet();
  CHECK(code(dialogue.say("NO\rOP\r\n")) == "500 5.5.2");
  CHECK(code(dialogue.say(std::string("NOOP\0\r\n", 7))) == "500 5.5.2");
  CHECK_FALSE(dialogue.closed);
  CHECK(dialogue.say("RSET\nMAIL FROM:<evil@example.test>\r\n") == "500 5.5.2 lines end with CRLF\r\n");
  CHECK(dialogue.closed);
}

TEST_CASE("the envelope holds what the client said") {
  ServerDialogue dialogue;
  dialogue.greet();
  dialogue.say("mail from:<A@example.test> BODY=8BITMIME SMTPUTF8 RET=FULL ENVID=x+20y SIZE=77\r\n");
  dialogue.say(
      "rcpt to: <@relay.test:b@example.test> NOTIFY=NEVER ORCPT=rfc822;c@d\r\nRCPT TO:<Postmaster>\r\n");
  const auto& envelope = dialogue.machine.envelope();
  CHECK(envelope.sender == "A@example.test");
  CHECK(envelope.body_type == dumpster::BodyType::eight_bit_mime);
  CHECK(envelope.smtputf8);
  CHECK(envelope.notify_return == dumpster::NotifyReturn::full);
  CHECK(envelope.envelope_id == "x+20y");
  CHECK(dialogue.machine.declared_size() == 77);
  CHECK(dialogue.machine.transmission_type() == "UTF8SMTP");
  REQUIRE(envelope.recipients.size() == 2);
  CHECK(envelope.recipients[0] ==
        dumpster::Recipient{"b@example.test", "b@example.test", "rfc822;c@d", dumpster::notify::never});
  CHECK(envelope.recipients[1].address == "Postmaster");
}

TEST_CASE("malformed paths are 501 with the code for sender or recipient") {
  ServerDialogue dialogue;
  dialogue.greet();
  for (const std::string command : {"MAIL", "MAIL TO:<a@b>", "MAIL FROM:", "MAIL FROM:a@b", "MAIL FROM <a@b>",
                                    "MAIL FROM:<postmaster>"}) {
    INFO(command);
    CHECK(code(dialogue.say(command + "\r\n")) == "501 5.1.7");
  }
  dialogue.say("MAIL FROM:<>\r\n");
  for (const std::string command : {"RCPT", "RCPT FROM:<a@b>", "RCPT TO:<>", "RCPT TO:<a>", "RCPT TO:<a@b"}) {
    INFO(command);
    CHECK(code(dialogue.say(command + "\r\n")) == "501 5.1.3");
  }
}

TEST_CASE("unknown parameters are 555, and so is every parameter behind HELO") {
  ServerDialogue dialogue;
  dialogue.greet();
  CHECK(code(dialogue.say("MAIL FROM:<a@b> AUTH=<>\r\n")) == "555 5.5.4");
  dialogue.say(mail);
  CHECK(code(dialogue.say("RCPT TO:<a@b> SIZE=1\r\n")) == "555 5.5.4");
  dialogue.say("HELO client.example\r\n");
  CHECK(code(dialogue.say("MAIL FROM:<a@b> SIZE=1\r\n")) == "555 5.5.4");
  CHECK(code(dialogue.say(mail)) == "250 2.1.0");
  CHECK(code(dialogue.say("RCPT TO:<a@b> NOTIFY=NEVER\r\n")) == "555 5.5.4");
}

TEST_CASE("UTF-8 in addresses wants SMTPUTF8") {
  ServerDialogue dialogue;
  dialogue.greet();
  CHECK(code(dialogue.say("MAIL FROM:<\xC3\xBC@b>\r\n")) == "553 5.6.7");
  dialogue.say(mail);
  CHECK(code(dialogue.say("RCPT TO:<\xC3\xBC@b>\r\n")) == "553 5.6.7");
  dialogue.say("RSET\r\n");
  CHECK(code(dialogue.say("MAIL FROM:<\xC3\xBC@b> SMTPUTF8\r\n")) == "250 2.1.0");
  CHECK(code(dialogue.say("RCPT TO:<\xC3\xBC@b>\r\n")) == "250 2.1.5");
}

TEST_CASE("a declared size over the limit is refused at MAIL") {
  ServerSettings settings;
  settings.max_message_size = 1000;
  ServerDialogue dialogue{settings};
  dialogue.greet();
  CHECK(code(dialogue.say("MAIL FROM:<a@b> SIZE=1001\r\n")) == "552 5.3.4");
  CHECK(code(dialogue.say("MAIL FROM:<a@b> SIZE=99999999999999999999\r\n")) == "552 5.3.4");
  CHECK(dialogue.refused == std::vector<std::string>{"size", "size"});
  CHECK(code(dialogue.say("MAIL FROM:<a@b> SIZE=1000\r\n")) == "250 2.1.0");
}

TEST_CASE("recipients over the limit are put off with 452, those before stay") {
  ServerSettings settings;
  settings.max_recipients = 2;
  ServerDialogue dialogue{settings};
  dialogue.greet();
  dialogue.say(mail + recipient + recipient);
  CHECK(code(dialogue.say(recipient)) == "452 4.5.3");
  CHECK(dialogue.machine.envelope().recipients.size() == 2);
}

TEST_CASE("what the owner refuses is said and leaves the session where it was") {
  ServerDialogue dialogue;
  dialogue.greet();
  dialogue.on_sender = [](const std::string&) { return Reply{451, "4.3.0", "later"}; };
  CHECK(dialogue.say(mail) == "451 4.3.0 later\r\n");
  CHECK(code(dialogue.say(recipient)) == "503 5.5.1");
  dialogue.on_sender = [](const std::string&) { return Reply{250, "2.1.0", "OK"}; };
  dialogue.on_recipient = [](const RecipientCommand&) { return Reply{550, "5.1.1", "unknown"}; };
  CHECK(dialogue.say(mail + recipient) == "250 2.1.0 OK\r\n550 5.1.1 unknown\r\n");
  CHECK(dialogue.machine.envelope().recipients.empty());
}

TEST_CASE("too many errors end the session with 421 in place of the last reply") {
  ServerSettings settings;
  settings.max_errors = 3;
  ServerDialogue dialogue{settings};
  CHECK(dialogue.say("A\r\nB\r\nC\r\nNOOP\r\n") ==
        "500 5.5.1 command not recognised\r\n500 5.5.1 command not recognised\r\n421 4.7.0 too many "
        "errors\r\n");
  CHECK(dialogue.closed);
  CHECK(dialogue.refused.size() == 3);
}

TEST_CASE("guessing recipients ends the session, a message between two guesses does not") {
  ServerSettings settings;
  settings.max_refusals = 3;
  ServerDialogue dialogue{settings};
  dialogue.greet();
  dialogue.on_recipient = [](const RecipientCommand& asked) {
    return asked.address == "b@example.test" ? Reply{250, "2.1.5", "OK"} : Reply{550, "5.1.1", "unknown"};
  };
  const std::string guess = "RCPT TO:<guess@example.test>\r\n";
  dialogue.say(mail + guess + guess + recipient + "DATA\r\n");
  dialogue.say("x\r\n.\r\n");
  dialogue.say(mail + guess + guess);
  CHECK_FALSE(dialogue.closed);
  CHECK(code(dialogue.say(guess)) == "421 4.7.0");
  CHECK(dialogue.closed);
}

TEST_CASE("input that comes while an answer is due waits, in pieces too, and belongs to the machine then") {
  ServerMachine machine{{}};
  machine.greet({220, {}, "x"});
  std::string bytes = "EHLO client.example\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nNO";
  machine.receive(bytes);
  REQUIRE(std::holds_alternative<ServerMachine::CheckSender>(machine.next()));
  machine.take_output();
  // An owner that reads on meanwhile uses its buffer again.
  REQUIRE(std::holds_alternative<ServerMachine::NeedInput>(machine.next()));
  bytes.assign(bytes.size(), '!');
  machine.receive("OP\r\nQU");
  machine.receive("IT\r\n");
  REQUIRE(std::holds_alternative<ServerMachine::NeedInput>(machine.next()));
  machine.answer({250, "2.1.0", "OK"});
  REQUIRE(std::holds_alternative<ServerMachine::CheckRecipient>(machine.next()));
  machine.answer({250, "2.1.5", "OK"});
  REQUIRE(std::holds_alternative<ServerMachine::Close>(machine.next()));
  CHECK(machine.take_output() ==
        "250 2.1.0 OK\r\n250 2.1.5 OK\r\n250 2.0.0 OK\r\n221 2.0.0  closing connection\r\n");
}

}  // namespace relay::smtp
