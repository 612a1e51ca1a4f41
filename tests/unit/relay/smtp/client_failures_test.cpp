#include <catch2/catch.hpp>

#include "client_dialogue.hpp"

namespace relay::smtp {
namespace {

const std::string accepted_two = "250 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n";

ClientDialogue begun(Protocol protocol = Protocol::lmtp) {
  ClientDialogue dialogue{protocol};
  dialogue.connect();
  dialogue.begin(2);
  return dialogue;
}

ClientDialogue ended(Protocol protocol = Protocol::lmtp) {
  auto dialogue = begun(protocol);
  dialogue.hear(accepted_two);
  dialogue.give("x\r\n");
  return dialogue;
}

std::vector<Kind> both(Kind kind) {
  return {kind, kind};
}

}  // namespace

TEST_CASE("a connection that breaks before the end of the data was called for leaves everybody deferred") {
  auto commands = begun();
  commands.hear("250 ok\r\n");
  commands.machine.disconnected("reset by peer");
  commands.run();
  CHECK(commands.is<ClientMachine::Failed>());
  CHECK(commands.kinds() == both(Kind::deferred));
  CHECK(commands.reply(0) == "451 4.4.2");
  CHECK(commands.machine.results()[0].reply.text == "connection lost: reset by peer");
  auto body = begun();
  body.hear(accepted_two);
  body.machine.body("x\r\n");
  body.machine.disconnected("timeout");
  CHECK(body.kinds() == both(Kind::deferred));
  CHECK(body.reply(1) == "451 4.4.2");
}

TEST_CASE("a refusal at RCPT outlives the connection") {
  auto dialogue = begun();
  dialogue.hear("250 ok\r\n250 ok\r\n550 5.1.1 no\r\n354 go\r\n");
  dialogue.give("x\r\n");
  dialogue.machine.disconnected("timeout");
  CHECK(dialogue.kinds() == std::vector<Kind>{Kind::unknown, Kind::refused});
}

TEST_CASE("from the call of body_end on nobody is surely undelivered, written or not") {
  for (const auto protocol : {Protocol::lmtp, Protocol::smtp}) {
    auto dialogue = begun(protocol);
    dialogue.hear(accepted_two);
    dialogue.machine.body("x\r\n");
    dialogue.machine.body_end();
    dialogue.machine.disconnected("timeout");
    CHECK(dialogue.kinds() == both(Kind::unknown));
    CHECK(dialogue.reply(0) == "451 4.4.2");
  }
}

TEST_CASE("replies of LMTP that had come stand when the connection breaks, the others are in doubt") {
  auto dialogue = ended();
  dialogue.hear("250 one\r\n");
  dialogue.machine.disconnected("reset");
  CHECK(dialogue.kinds() == std::vector<Kind>{Kind::delivered, Kind::unknown});
  auto unread = ended();
  unread.machine.receive("250 one\r\n550 5.0.0 two\r\n");
  unread.machine.disconnected("reset");
  CHECK(unread.kinds() == std::vector<Kind>{Kind::delivered, Kind::refused});
  auto half = ended();
  half.machine.receive("250 one\r\n250 tw");
  half.machine.disconnected("reset");
  CHECK(half.kinds() == std::vector<Kind>{Kind::delivered, Kind::unknown});
}

TEST_CASE("one reply too many makes every reply behind the data worthless") {
  for (const std::string replies : {"250 a\r\n550 b\r\n250 c\r\n", "250 a\r\n550 b\r\n2"}) {
    auto lmtp = ended();
    lmtp.hear(replies);
    CHECK(lmtp.is<ClientMachine::Failed>());
    CHECK(lmtp.kinds() == both(Kind::unknown));
  }
  auto smtp = ended(Protocol::smtp);
  smtp.hear("250 a\r\n250 b\r\n");
  CHECK(smtp.is<ClientMachine::Failed>());
  CHECK(smtp.kinds() == both(Kind::unknown));
}

TEST_CASE("a reply that nobody asked for fails the connection before anything is said on it") {
  ClientDialogue dialogue;
  dialogue.connect();
  dialogue.machine.receive("250 stray\r\n");
  CHECK(dialogue.begin(2).empty());
  CHECK(dialogue.is<ClientMachine::Failed>());
  CHECK(dialogue.kinds() == both(Kind::deferred));
}

TEST_CASE("replies out of step fail the connection and deliver nothing") {
  for (const std::string replies :
       {"354 go\r\n", "250 ok\r\n354 go\r\n", "250 ok\r\n250 ok\r\n250 ok\r\n250 go\r\n", "hello\r\n",
        "250 ok\r\nx\r\n"}) {
    INFO(replies);
    auto dialogue = begun();
    dialogue.hear(replies);
    CHECK(dialogue.is<ClientMachine::Failed>());
    CHECK(dialogue.kinds() == both(Kind::deferred));
  }
  for (const std::string replies : {"354 go\r\n", "250 ok\r\n354 go\r\n", "nonsense\r\n"}) {
    INFO(replies);
    auto dialogue = ended();
    dialogue.hear(replies);
    CHECK(dialogue.is<ClientMachine::Failed>());
    CHECK(dialogue.kinds().back() == Kind::unknown);
  }
}

TEST_CASE("DATA accepted behind a refused MAIL ends the connection without a message") {
  auto dialogue = begun(Protocol::smtp);
  CHECK(dialogue.hear("550 5.7.1 no\r\n250 ok\r\n250 ok\r\n354 go\r\n").empty());
  CHECK(dialogue.is<ClientMachine::Failed>());
  CHECK(dialogue.kinds() == both(Kind::refused));
}

TEST_CASE("421 ends the connection wherever it comes") {
  auto mail = begun();
  mail.hear("421 4.3.2 bye\r\n");
  CHECK(mail.is<ClientMachine::Failed>());
  CHECK(mail.kinds() == both(Kind::deferred));
  CHECK(mail.reply(1) == "421 4.3.2");
  auto recipient = begun();
  recipient.hear("250 ok\r\n550 5.1.1 no\r\n421 4.3.2 bye\r\n");
  CHECK(recipient.kinds() == std::vector<Kind>{Kind::refused, Kind::deferred});
  auto data = begun();
  data.hear("250 ok\r\n250 ok\r\n250 ok\r\n421 4.3.2 bye\r\n");
  CHECK(data.kinds() == both(Kind::deferred));
  auto smtp = ended(Protocol::smtp);
  smtp.hear("421 4.3.2 bye\r\n");
  CHECK(smtp.is<ClientMachine::Failed>());
  CHECK(smtp.kinds() == both(Kind::deferred));
  auto lmtp = ended();
  lmtp.hear("421 4.3.2 bye\r\n");
  CHECK(lmtp.kinds() == std::vector<Kind>{Kind::deferred, Kind::unknown});
  auto behind = ended();
  behind.hear("250 a\r\n250 b\r\n421 4.4.2 idle\r\n");
  CHECK(behind.is<ClientMachine::Failed>());
  CHECK(behind.kinds() == both(Kind::delivered));
  ClientDialogue idle;
  idle.connect();
  idle.hear("421 4.4.2 idle\r\n");
  CHECK(idle.is<ClientMachine::Failed>());
}

TEST_CASE("a reply before the end of the data is never an acceptance") {
  auto early = begun();
  early.hear(accepted_two);
  early.machine.body("x\r\n");
  early.machine.receive("250 ok\r\n250 ok\r\n");
  early.machine.body_end();
  early.run();
  CHECK(early.is<ClientMachine::Failed>());
  CHECK(early.kinds() == both(Kind::deferred));
  auto refused = begun();
  refused.hear(accepted_two);
  refused.machine.body("x\r\n");
  CHECK(refused.hear("552 5.3.4 too large\r\n").empty());
  CHECK(refused.is<ClientMachine::Failed>());
  CHECK(refused.kinds() == both(Kind::refused));
}

TEST_CASE("a message with a bare line end or NUL never gets its end") {
  for (const auto& body :
       {std::string{"a\nb"}, std::string{"a\rb"}, std::string("a\0b", 3), std::string{"a\r"}}) {
    auto dialogue = begun();
    dialogue.hear(accepted_two);
    dialogue.machine.body("text\r\n");
    const auto written = dialogue.give(body);
    CHECK(written.find(".\r\n") == std::string::npos);
    CHECK(dialogue.is<ClientMachine::Failed>());
    CHECK(dialogue.kinds() == both(Kind::refused));
    CHECK(dialogue.reply(0) == "554 5.6.0");
  }
}

TEST_CASE("a refused RSET fails the connection and defers the transaction behind it") {
  ClientDialogue dialogue;
  dialogue.connect();
  dialogue.begin(1);
  dialogue.hear("250 ok\r\n550 no\r\n554 no\r\n");
  dialogue.begin(2);
  dialogue.hear("500 what\r\n");
  CHECK(dialogue.is<ClientMachine::Failed>());
  CHECK(dialogue.kinds() == both(Kind::deferred));
}

TEST_CASE("on a failed connection a transaction is deferred") {
  ClientDialogue dialogue;
  dialogue.machine.disconnected("refused");
  dialogue.begin(2);
  CHECK(dialogue.is<ClientMachine::Failed>());
  CHECK(dialogue.kinds() == both(Kind::deferred));
}

}  // namespace relay::smtp
