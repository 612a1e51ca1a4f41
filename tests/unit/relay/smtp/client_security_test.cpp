#include <catch2/catch.hpp>

#include "client_dialogue.hpp"

namespace relay::smtp {
namespace {

using StartTls = ClientSettings::StartTls;
using Handshake = ClientMachine::StartTls;

const std::string offering_tls = "250-next\r\n250-PIPELINING\r\n250 STARTTLS\r\n";

ClientSettings settings(StartTls start_tls, std::optional<Credentials> credentials = {}) {
  return {Protocol::smtp, "hub.example", start_tls, std::move(credentials), true};
}

ClientDialogue at_the_handshake() {
  ClientDialogue dialogue{settings(StartTls::required)};
  dialogue.hear("220 ready\r\n");
  CHECK(dialogue.hear(offering_tls) == "STARTTLS\r\n");
  dialogue.hear("220 go ahead\r\n");
  REQUIRE(dialogue.is<Handshake>());
  return dialogue;
}

/// Under TLS from its first byte, greeted, and answered with `extensions`.
ClientDialogue under_tls(Credentials credentials, const std::string& extensions, std::string& written) {
  ClientDialogue dialogue{settings(StartTls::never, std::move(credentials))};
  dialogue.machine.secured(true);
  dialogue.hear("220 ready\r\n");
  written = dialogue.hear("250-next\r\n" + extensions);
  return dialogue;
}

std::string reason_of(const ClientDialogue& dialogue) {
  return std::get<ClientMachine::Failed>(dialogue.action).reason;
}

}  // namespace

TEST_CASE("behind STARTTLS everything is said anew, and what was offered before counts no more") {
  auto dialogue = at_the_handshake();
  dialogue.machine.secured(false);
  CHECK(dialogue.run() == "EHLO hub.example\r\n");
  CHECK_FALSE(dialogue.machine.extensions().pipelining);
  dialogue.hear("250-next\r\n250-STARTTLS\r\n250 DSN\r\n");
  REQUIRE(dialogue.is<ClientMachine::Ready>());
  CHECK(dialogue.machine.extensions().dsn);
  CHECK_FALSE(dialogue.machine.extensions().pipelining);
}

TEST_CASE("replies that were put in front of the handshake are thrown away") {
  ClientDialogue dialogue{settings(StartTls::required)};
  dialogue.hear("220 ready\r\n");
  dialogue.hear(offering_tls);
  dialogue.hear("220 go\r\n250-evil\r\n250 REQUIRETLS\r\n250 ok\r\n");
  REQUIRE(dialogue.is<Handshake>());
  dialogue.machine.receive("250 more of it\r\n");
  dialogue.machine.secured(true);
  CHECK(dialogue.run() == "EHLO hub.example\r\n");
  CHECK(dialogue.is<ClientMachine::NeedInput>());
  dialogue.hear("250 next\r\n");
  CHECK(dialogue.is<ClientMachine::Ready>());
  CHECK_FALSE(dialogue.machine.extensions().require_tls);
}

TEST_CASE("where STARTTLS is required nothing goes out without it") {
  ClientDialogue missing{settings(StartTls::required)};
  missing.hear("220 ready\r\n");
  CHECK(missing.hear("250 next\r\n").empty());
  REQUIRE(missing.is<ClientMachine::Failed>());
  CHECK(std::get<ClientMachine::Failed>(missing.action).words.code == 454);
  ClientDialogue refused{settings(StartTls::required)};
  refused.hear("220 ready\r\n");
  refused.hear(offering_tls);
  CHECK(refused.hear("454 4.7.0 not now\r\n").empty());
  CHECK(refused.is<ClientMachine::Failed>());
  ClientDialogue old{settings(StartTls::required)};
  old.hear("220 ready\r\n");
  old.hear("502 what\r\n");
  CHECK(old.hear("250 next\r\n").empty());
  CHECK(old.is<ClientMachine::Failed>());
}

TEST_CASE("where STARTTLS is taken when offered, a next hop without it or that refuses it gets the mail") {
  ClientDialogue missing{settings(StartTls::offered)};
  missing.hear("220 ready\r\n");
  missing.hear("250 next\r\n");
  CHECK(missing.is<ClientMachine::Ready>());
  ClientDialogue refused{settings(StartTls::offered)};
  refused.hear("220 ready\r\n");
  CHECK(refused.hear(offering_tls) == "STARTTLS\r\n");
  refused.hear("454 4.7.0 not now\r\n");
  CHECK(refused.is<ClientMachine::Ready>());
  ClientDialogue never{settings(StartTls::never)};
  never.hear("220 ready\r\n");
  CHECK(never.hear(offering_tls).empty());
  CHECK(never.is<ClientMachine::Ready>());
}

TEST_CASE("AUTH PLAIN carries its response where it fits, and follows behind 334 where not") {
  std::string written;
  auto dialogue = under_tls({"user", "secret"}, "250 AUTH LOGIN PLAIN\r\n", written);
  CHECK(written == "AUTH PLAIN AHVzZXIAc2VjcmV0\r\n");
  dialogue.hear("235 2.7.0 welcome\r\n");
  CHECK(dialogue.is<ClientMachine::Ready>());
  auto longer = under_tls({"user", std::string(500, 'p')}, "250 AUTH PLAIN\r\n", written);
  CHECK(written == "AUTH PLAIN\r\n");
  CHECK(longer.hear("334 \r\n").size() == 4 * 169 + 2);
  longer.hear("235 2.7.0 welcome\r\n");
  CHECK(longer.is<ClientMachine::Ready>());
}

TEST_CASE("AUTH LOGIN says user and password when asked") {
  std::string written;
  auto dialogue = under_tls({"user", "secret"}, "250 auth=LOGIN\r\n", written);
  CHECK(written == "AUTH LOGIN\r\n");
  CHECK(dialogue.hear("334 VXNlcm5hbWU6\r\n") == "dXNlcg==\r\n");
  CHECK(dialogue.hear("334 UGFzc3dvcmQ6\r\n") == "c2VjcmV0\r\n");
  dialogue.hear("235 ok\r\n");
  CHECK(dialogue.is<ClientMachine::Ready>());
}

TEST_CASE("refused credentials fail the connection and bounce nothing") {
  std::string written;
  auto dialogue = under_tls({"user", "wrong"}, "250 AUTH PLAIN\r\n", written);
  dialogue.hear("535 5.7.8 no\r\n");
  REQUIRE(dialogue.is<ClientMachine::Failed>());
  CHECK(std::get<ClientMachine::Failed>(dialogue.action).words.code == 454);
  CHECK(reason_of(dialogue).find("535 5.7.8 no") != std::string::npos);
  for (const std::string replies : {"250 ok\r\n", "334 again\r\n", "421 bye\r\n"}) {
    auto other = under_tls({"user", "secret"}, "250 AUTH PLAIN\r\n", written);
    other.hear(replies);
    CHECK(other.is<ClientMachine::Failed>());
  }
}

TEST_CASE("credentials are never said without TLS, nor to a next hop that asks for another mechanism") {
  ClientDialogue plain{settings(StartTls::offered, Credentials{"user", "secret"})};
  plain.hear("220 ready\r\n");
  CHECK(plain.hear("250-next\r\n250 AUTH PLAIN\r\n").empty());
  CHECK(plain.is<ClientMachine::Failed>());
  std::string written;
  auto other = under_tls({"user", "secret"}, "250 AUTH CRAM-MD5 PLAINER\r\n", written);
  CHECK(written.empty());
  CHECK(other.is<ClientMachine::Failed>());
}

TEST_CASE("REQUIRETLS goes only to a next hop that offers it and has proved who it is") {
  auto transaction = ClientDialogue::transaction(1);
  transaction.require_tls = true;
  for (const bool verified : {true, false}) {
    ClientDialogue dialogue{settings(StartTls::never)};
    dialogue.machine.secured(verified);
    dialogue.hear("220 ready\r\n");
    dialogue.hear("250-next\r\n250-PIPELINING\r\n250 REQUIRETLS\r\n");
    const auto written = dialogue.begin(transaction);
    CHECK((written.find("MAIL FROM:<s@example.test> REQUIRETLS\r\n") == 0) == verified);
    if (!verified) CHECK(dialogue.reply(0) == "550 5.7.30");
  }
  ClientDialogue open{settings(StartTls::never)};
  open.connect("250 REQUIRETLS\r\n");
  CHECK(open.begin(transaction).empty());
  CHECK(open.reply(0) == "550 5.7.30");
}

TEST_CASE("a reply that comes a byte at a time is no progress") {
  ClientDialogue dialogue;
  dialogue.run();
  dialogue.hear("220-a\r\n220-b\r\n220 ");
  CHECK(dialogue.machine.replies() == 0);
  dialogue.hear("c\r\n");
  CHECK(dialogue.machine.replies() == 1);
}

TEST_CASE("a next hop that hangs up has not answered to the transaction") {
  ClientDialogue idle;
  idle.connect();
  idle.begin(1);
  idle.hear("421 4.4.2 idle for too long\r\n");
  CHECK(idle.is<ClientMachine::Failed>());
  CHECK_FALSE(idle.machine.answered());
  ClientDialogue busy;
  busy.connect();
  busy.begin(1);
  busy.hear("451 4.3.0 busy\r\n");
  CHECK(busy.machine.answered());
}

}  // namespace relay::smtp
