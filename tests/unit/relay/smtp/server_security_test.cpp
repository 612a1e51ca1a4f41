#include <catch2/catch.hpp>

#include "relay/smtp/text.hpp"
#include "server_dialogue.hpp"

namespace relay::smtp {
namespace {

/// A listener with STARTTLS and a password file.
ServerSettings with_tls() {
  ServerSettings settings;
  settings.starttls = true;
  settings.authentication = true;
  return settings;
}
ServerSettings under_tls() {
  auto settings = with_tls();
  settings.starttls = false;
  settings.secure = true;
  return settings;
}

std::string code(const std::string& reply) {
  return reply.substr(0, reply.find(' ', 4));
}
bool offers(const std::string& reply, const std::string& extension) {
  return reply.find("250-" + extension + "\r\n") != std::string::npos ||
         reply.find("250 " + extension + "\r\n") != std::string::npos;
}

const std::string mail = "MAIL FROM:<a@example.test>\r\n";
// NUL carol NUL secret
const std::string carol = "AGNhcm9sAHNlY3JldA==";

}  // namespace

TEST_CASE("STARTTLS and AUTH are offered where they can be used, and nowhere else") {
  ServerDialogue plain;
  const auto nothing = plain.greet();
  CHECK_FALSE(offers(nothing, "STARTTLS"));
  CHECK_FALSE(offers(nothing, "AUTH PLAIN LOGIN"));
  CHECK(code(plain.say("STARTTLS\r\n")) == "502 5.5.1");
  CHECK(code(plain.say("AUTH PLAIN\r\n")) == "502 5.5.1");
  ServerDialogue dialogue{with_tls()};
  const auto clear = dialogue.greet();
  CHECK(offers(clear, "STARTTLS"));
  CHECK_FALSE(offers(clear, "AUTH PLAIN LOGIN"));
  CHECK_FALSE(offers(clear, "REQUIRETLS"));
  CHECK(dialogue.say("STARTTLS\r\n") == "220 2.0.0 go on with TLS\r\n");
  CHECK(dialogue.handshakes == 1);
  const auto secure = dialogue.greet();
  CHECK_FALSE(offers(secure, "STARTTLS"));
  CHECK(offers(secure, "AUTH PLAIN LOGIN"));
  CHECK(offers(secure, "REQUIRETLS"));
  CHECK(code(dialogue.say("STARTTLS\r\n")) == "503 5.5.1");
}

TEST_CASE("what is pipelined behind STARTTLS is thrown away, at every split") {
  const std::string wire = "STARTTLS\r\nEHLO evil.example\r\nMAIL FROM:<evil@example.test>\r\n";
  for (const std::size_t piece : {1U, 7U, 4096U}) {
    ServerDialogue dialogue{with_tls()};
    dialogue.greet();
    const std::string command = "STARTTLS\r\n";
    if (piece == 4096) {
      CHECK(dialogue.say(wire) == "220 2.0.0 go on with TLS\r\n");
      CHECK(dialogue.refused == std::vector<std::string>{"plaintext_behind_starttls"});
    } else {
      CHECK(dialogue.say(command, piece) == "220 2.0.0 go on with TLS\r\n");
    }
    CHECK(dialogue.machine.client_name().empty());
    CHECK(code(dialogue.say(mail)) == "503 5.5.1");
  }
}

TEST_CASE("a line begun before STARTTLS ends in nothing behind it") {
  ServerDialogue dialogue{with_tls()};
  dialogue.greet();
  dialogue.say("STARTTLS\r\nEH");
  CHECK(code(dialogue.say("LO client.example\r\n")) == "500 5.5.1");
}

TEST_CASE("TLS begins the session anew, a transaction under way is gone") {
  ServerDialogue dialogue{with_tls()};
  dialogue.greet();
  dialogue.say(mail + "RCPT TO:<b@example.test>\r\n");
  dialogue.say("STARTTLS\r\n");
  CHECK(dialogue.machine.envelope().recipients.empty());
  CHECK(dialogue.machine.transmission_type() == "SMTP");
  dialogue.greet();
  CHECK(dialogue.machine.transmission_type() == "ESMTPS");
  CHECK(code(dialogue.say("RCPT TO:<b@example.test>\r\n")) == "503 5.5.1");
}

TEST_CASE("the protocol's name in Received tells TLS, authentication, UTF-8 and LMTP") {
  auto settings = under_tls();
  ServerDialogue smtp{settings};
  smtp.greet();
  CHECK(smtp.machine.transmission_type() == "ESMTPS");
  smtp.say("AUTH PLAIN " + carol + "\r\n");
  CHECK(smtp.machine.transmission_type() == "ESMTPSA");
  smtp.say("MAIL FROM:<a@example.test> SMTPUTF8\r\n");
  CHECK(smtp.machine.transmission_type() == "UTF8SMTPSA");
  settings.protocol = Protocol::lmtp;
  ServerDialogue lmtp{settings};
  lmtp.greet_lmtp();
  CHECK(lmtp.machine.transmission_type() == "LMTPS");
  lmtp.say("AUTH PLAIN " + carol + "\r\n");
  CHECK(lmtp.machine.transmission_type() == "LMTPSA");
}

TEST_CASE("AUTH PLAIN takes its credentials with the command or behind it") {
  for (const std::string& wire : {"AUTH PLAIN " + carol + "\r\n", "auth plain\r\n" + carol + "\r\n",
                                  std::string{"AUTH PLAIN Y2Fyb2wAY2Fyb2wAc2VjcmV0\r\n"}}) {
    ServerDialogue dialogue{under_tls()};
    dialogue.greet();
    CHECK(dialogue.say(wire).find("235 2.7.0 welcome\r\n") != std::string::npos);
    REQUIRE(dialogue.passwords.size() == 1);
    CHECK(dialogue.passwords[0].first == "carol");
    CHECK(dialogue.passwords[0].second == "secret");
    CHECK(dialogue.machine.user() == "carol");
    CHECK(code(dialogue.say("AUTH PLAIN\r\n")) == "503 5.5.1");
  }
}

TEST_CASE("AUTH LOGIN asks for name and password") {
  ServerDialogue dialogue{under_tls()};
  dialogue.greet();
  CHECK(dialogue.say("AUTH LOGIN\r\n") == "334 VXNlcm5hbWU6\r\n");
  CHECK(dialogue.say("Y2Fyb2w=\r\n") == "334 UGFzc3dvcmQ6\r\n");
  CHECK(dialogue.say("c2VjcmV0\r\n") == "235 2.7.0 welcome\r\n");
  CHECK(dialogue.passwords == std::vector<std::pair<std::string, std::string>>{{"carol", "secret"}});
  ServerDialogue short_form{under_tls()};
  short_form.greet();
  CHECK(short_form.say("AUTH LOGIN Y2Fyb2w=\r\n") == "334 UGFzc3dvcmQ6\r\n");
}

TEST_CASE("AUTH in the clear is refused without a look at the credentials") {
  ServerDialogue dialogue{with_tls()};
  dialogue.greet();
  CHECK(code(dialogue.say("AUTH PLAIN " + carol + "\r\n")) == "538 5.7.11");
  CHECK(dialogue.passwords.empty());
}

TEST_CASE("malformed credentials, other mechanisms and cancelled exchanges ask nobody") {
  ServerDialogue dialogue{under_tls()};
  CHECK(code(dialogue.say("AUTH PLAIN\r\n")) == "503 5.5.1");
  dialogue.greet();
  CHECK(code(dialogue.say("AUTH\r\n")) == "501 5.5.4");
  CHECK(code(dialogue.say("AUTH CRAM-MD5\r\n")) == "504 5.5.4");
  CHECK(code(dialogue.say("AUTH PLAIN x y\r\n")) == "501 5.5.4");
  CHECK(code(dialogue.say("AUTH PLAIN not*base64\r\n")) == "501 5.5.2");
  CHECK(code(dialogue.say("AUTH PLAIN =\r\n")) == "501 5.5.2");
  CHECK(code(dialogue.say("AUTH PLAIN Y2Fyb2w=\r\n")) == "501 5.5.2");
  CHECK(dialogue.say("AUTH LOGIN\r\n*\r\n").find("501 5.7.0 ") != std::string::npos);
  // NUL carol NUL: no password. dave NUL carol NUL secret: acting for another.
  CHECK(code(dialogue.say("AUTH PLAIN AGNhcm9sAA==\r\n")) == "501 5.5.2");
  CHECK(code(dialogue.say("AUTH PLAIN ZGF2ZQBjYXJvbABzZWNyZXQ=\r\n")) == "535 5.7.8");
  dialogue.say("AUTH LOGIN\r\n");
  CHECK(code(dialogue.say(std::string(4000, 'A') + "\r\n")) == "500 5.5.6");
  CHECK(dialogue.say("NOOP\r\n") == "250 2.0.0 OK\r\n");
  dialogue.say(mail);
  CHECK(code(dialogue.say("AUTH PLAIN " + carol + "\r\n")) == "503 5.5.1");
  CHECK(dialogue.passwords.empty());
}

TEST_CASE("failed attempts end the session, attempts that could not be judged do not") {
  ServerDialogue dialogue{under_tls()};
  dialogue.greet();
  const auto attempt = "AUTH PLAIN " + carol + "\r\n";
  dialogue.on_password = {454, "4.7.0", "busy"};
  for (int i = 0; i < 5; ++i)
    CHECK(code(dialogue.say(attempt)) == "454 4.7.0");
  dialogue.on_password = {535, "5.7.8", "wrong"};
  CHECK(code(dialogue.say(attempt)) == "535 5.7.8");
  CHECK(code(dialogue.say(attempt)) == "535 5.7.8");
  CHECK(code(dialogue.say(attempt)) == "421 4.7.0");
  CHECK(dialogue.closed);
  CHECK(dialogue.machine.user().empty());
}

TEST_CASE("where authentication is required nothing of mail goes before it") {
  auto settings = with_tls();
  settings.require_authentication = true;
  ServerDialogue dialogue{settings};
  dialogue.greet();
  CHECK(code(dialogue.say(mail)) == "530 5.7.0");
  CHECK(code(dialogue.say("VRFY a\r\n")) == "530 5.7.0");
  CHECK(code(dialogue.say("NOOP\r\n")) == "250 2.0.0");
  CHECK(code(dialogue.say("RSET\r\n")) == "250 2.0.0");
  CHECK(code(dialogue.say("BDAT 6 LAST\r\nQUIT\r\n")) == "503 5.5.1");
  CHECK_FALSE(dialogue.closed);
  dialogue.say("STARTTLS\r\n");
  dialogue.greet();
  CHECK(code(dialogue.say(mail)) == "530 5.7.0");
  dialogue.say("AUTH PLAIN " + carol + "\r\n");
  CHECK(code(dialogue.say(mail)) == "250 2.1.0");
}

TEST_CASE("REQUIRETLS is known under TLS alone and kept with the envelope") {
  ServerDialogue clear{with_tls()};
  clear.greet();
  CHECK(code(clear.say("MAIL FROM:<a@example.test> REQUIRETLS\r\n")) == "555 5.5.4");
  ServerDialogue dialogue{under_tls()};
  dialogue.greet();
  CHECK(code(dialogue.say("MAIL FROM:<a@example.test> REQUIRETLS=1\r\n")) == "501 5.5.4");
  CHECK(code(dialogue.say("MAIL FROM:<a@example.test> REQUIRETLS REQUIRETLS\r\n")) == "501 5.5.4");
  dialogue.say("MAIL FROM:<a@example.test> REQUIRETLS\r\nRCPT TO:<b@example.test>\r\nDATA\r\nx\r\n.\r\n");
  REQUIRE(dialogue.accepted.size() == 1);
  CHECK(dialogue.accepted[0].envelope.require_tls);
}

TEST_CASE("AUTH= of MAIL is passed over where AUTH is offered, and not known elsewhere") {
  ServerDialogue dialogue{under_tls()};
  dialogue.greet();
  CHECK(code(dialogue.say("MAIL FROM:<a@example.test> AUTH=e+3Dmc2@example.test\r\n")) == "250 2.1.0");
  dialogue.say("RSET\r\n");
  CHECK(code(dialogue.say("MAIL FROM:<a@example.test> AUTH=<>\r\n")) == "250 2.1.0");
  dialogue.say("RSET\r\n");
  CHECK(code(dialogue.say("MAIL FROM:<a@example.test> AUTH=+zz\r\n")) == "501 5.5.4");
  ServerDialogue clear{with_tls()};
  clear.greet();
  CHECK(code(clear.say("MAIL FROM:<a@example.test> AUTH=<>\r\n")) == "555 5.5.4");
}

TEST_CASE("XFORWARD is for those who were allowed to, and lasts until it is said anew") {
  ServerDialogue stranger;
  stranger.greet();
  CHECK(code(stranger.say("XFORWARD ADDR=192.0.2.1\r\n")) == "550 5.7.0");
  ServerSettings settings;
  settings.xforward = true;
  ServerDialogue dialogue{settings};
  CHECK(offers(dialogue.greet(), "XFORWARD NAME ADDR PORT PROTO HELO IDENT SOURCE"));
  CHECK(code(dialogue.say("XFORWARD NAME=mail.example ADDR=192.0.2.1 PORT=4711\r\n")) == "250 2.0.0");
  CHECK(code(dialogue.say("XFORWARD PROTO=ESMTP HELO=a+2Db IDENT=1 SOURCE=REMOTE\r\n")) == "250 2.0.0");
  CHECK(dialogue.machine.forwarded().name == "mail.example");
  CHECK(dialogue.machine.forwarded().address == "192.0.2.1");
  CHECK(dialogue.machine.forwarded().hello == "a-b");
  dialogue.say("XFORWARD NAME=[UNAVAILABLE] ADDR=IPV6:2001:db8::1\r\n");
  CHECK(dialogue.machine.forwarded().name.empty());
  CHECK(dialogue.machine.forwarded().address == "2001:db8::1");
  for (const std::string bad :
       {"XFORWARD", "XFORWARD NAME", "XFORWARD NAME=", "XFORWARD ADDR=a+0D+0Ab", "XFORWARD COLOUR=red"}) {
    INFO(bad);
    CHECK(code(dialogue.say(bad + "\r\n")) == "501 5.5.4");
  }
  CHECK(dialogue.machine.forwarded().address == "2001:db8::1");
  dialogue.say(mail);
  CHECK(code(dialogue.say("XFORWARD ADDR=192.0.2.1\r\n")) == "503 5.5.1");
}

TEST_CASE("a browser is sent away at once") {
  ServerDialogue dialogue;
  CHECK(dialogue.say("POST / HTTP/1.1\r\nHost: x\r\n\r\nMAIL FROM:<evil@example.test>\r\n") ==
        "421 4.7.0 this is no web server\r\n");
  CHECK(dialogue.closed);
}

TEST_CASE("base64 is read strictly") {
  CHECK(base64_decode("") == "");
  CHECK(base64_decode("Zg==") == "f");
  CHECK(base64_decode("Zm8=") == "fo");
  CHECK(base64_decode("Zm9vYmFy") == "foobar");
  CHECK(base64_decode("+/+/") == std::string{"\xfb\xff\xbf"});
  for (const std::string bad :
       {"Z", "Zg", "Zg=", "Zg===", "=", "====", "Zh==", "Zm9=", "Zm 9", "Zm9v\r", "Z=g="}) {
    INFO(bad);
    CHECK_FALSE(base64_decode(bad));
  }
}

}  // namespace relay::smtp
