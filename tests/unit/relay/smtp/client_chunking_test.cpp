#include <catch2/catch.hpp>

#include "client_dialogue.hpp"

namespace relay::smtp {
namespace {

ClientDialogue chunking(Protocol protocol, std::size_t recipients, bool pipelining = true) {
  ClientDialogue dialogue{protocol};
  dialogue.connect(pipelining ? "250-PIPELINING\r\n250 CHUNKING\r\n" : "250 CHUNKING\r\n");
  dialogue.begin(recipients);
  return dialogue;
}

ClientDialogue at_the_body(Protocol protocol, std::size_t recipients) {
  auto dialogue = chunking(protocol, recipients);
  std::string replies = "250 ok\r\n";
  for (std::size_t i = 0; i < recipients; ++i)
    replies += "250 ok\r\n";
  dialogue.hear(replies);
  REQUIRE(dialogue.is<ClientMachine::NeedBody>());
  return dialogue;
}

std::string piece(ClientDialogue& dialogue, std::string_view bytes) {
  dialogue.machine.body(bytes);
  return dialogue.run();
}

}  // namespace

TEST_CASE("with CHUNKING the body follows the replies to RCPT, without DATA and without dots") {
  ClientDialogue dialogue;
  dialogue.connect("250-PIPELINING\r\n250 CHUNKING\r\n");
  CHECK(dialogue.begin(1) == "MAIL FROM:<s@example.test>\r\nRCPT TO:<r0@example.test>\r\n");
  dialogue.hear("250 ok\r\n");
  CHECK(dialogue.is<ClientMachine::NeedInput>());
  CHECK(dialogue.hear("250 ok\r\n").empty());
  REQUIRE(dialogue.is<ClientMachine::NeedBody>());
  CHECK(dialogue.give(".a\r\nb") == "BDAT 5 LAST\r\n.a\r\nb");
  CHECK(std::get<ClientMachine::NeedInput>(dialogue.action).waiting == ClientMachine::Waiting::data_end);
  dialogue.hear("250 2.0.0 ok\r\n");
  REQUIRE(dialogue.is<ClientMachine::TransactionDone>());
  CHECK(dialogue.kinds() == std::vector<Kind>{Kind::delivered});
}

TEST_CASE("a long body goes out in chunks, each with a reply, the last one with those of the recipients") {
  auto lmtp = at_the_body(Protocol::lmtp, 2);
  CHECK(piece(lmtp, "one\r\n") == "BDAT 5\r\none\r\n");
  REQUIRE(lmtp.is<ClientMachine::NeedBody>());
  lmtp.machine.body_end();
  CHECK(lmtp.run() == "BDAT 0 LAST\r\n");
  CHECK(std::get<ClientMachine::NeedInput>(lmtp.action).waiting == ClientMachine::Waiting::chunk);
  lmtp.hear("250 chunk\r\n250 first\r\n");
  CHECK(lmtp.is<ClientMachine::NeedInput>());
  lmtp.hear("452 4.2.2 full\r\n");
  CHECK(lmtp.is<ClientMachine::TransactionDone>());
  CHECK(lmtp.kinds() == std::vector<Kind>{Kind::delivered, Kind::deferred});
  auto smtp = at_the_body(Protocol::smtp, 2);
  piece(smtp, "one\r\n");
  CHECK(smtp.give("two\r\n") == "BDAT 5 LAST\r\ntwo\r\n");
  smtp.hear("250 chunk\r\n250 whole\r\n");
  CHECK(smtp.kinds() == std::vector<Kind>{Kind::delivered, Kind::delivered});
}

TEST_CASE("only so many chunks are written before their replies are read; without PIPELINING one") {
  auto many = at_the_body(Protocol::smtp, 1);
  int written = 0;
  while (many.is<ClientMachine::NeedBody>()) {
    piece(many, "x\r\n");
    ++written;
  }
  CHECK(written == 32);
  CHECK(std::get<ClientMachine::NeedInput>(many.action).waiting == ClientMachine::Waiting::chunk);
  many.hear("250 ok\r\n");
  CHECK(many.is<ClientMachine::NeedBody>());
  auto one = chunking(Protocol::smtp, 1, false);
  one.hear("250 ok\r\n");
  one.hear("250 ok\r\n");
  piece(one, "x\r\n");
  CHECK(one.is<ClientMachine::NeedInput>());
  one.hear("250 ok\r\n");
  CHECK(one.is<ClientMachine::NeedBody>());
}

TEST_CASE("with nobody accepted no chunk is sent") {
  auto dialogue = chunking(Protocol::lmtp, 1);
  CHECK(dialogue.hear("250 ok\r\n550 5.1.1 no\r\n").empty());
  CHECK(dialogue.is<ClientMachine::TransactionDone>());
  dialogue.run();
  CHECK(dialogue.begin(1).substr(0, 4) == "RSET");
  auto refused = chunking(Protocol::lmtp, 1);
  CHECK(refused.hear("451 4.3.0 later\r\n503 no\r\n").empty());
  CHECK(refused.is<ClientMachine::TransactionDone>());
  CHECK(refused.reply(0) == "451 4.3.0");
}

TEST_CASE("a chunk that is refused refuses the message and ends the connection") {
  auto early = at_the_body(Protocol::lmtp, 2);
  piece(early, "x\r\n");
  CHECK(early.hear("552 5.3.4 too large\r\n").empty());
  CHECK(early.is<ClientMachine::Failed>());
  CHECK(early.kinds() == std::vector<Kind>{Kind::refused, Kind::refused});
  CHECK_FALSE(early.machine.chunking_failed());
  auto late = at_the_body(Protocol::lmtp, 2);
  piece(late, "x\r\n");
  late.machine.body_end();
  late.run();
  late.hear("452 4.3.1 disk full\r\n250 ok\r\n250 ok\r\n");
  CHECK(late.is<ClientMachine::Failed>());
  CHECK(late.kinds() == std::vector<Kind>{Kind::deferred, Kind::deferred});
}

TEST_CASE("a next hop that offers BDAT and does not know it bounces nothing") {
  for (const auto protocol : {Protocol::smtp, Protocol::lmtp}) {
    for (const bool whole : {true, false}) {
      auto dialogue = at_the_body(protocol, 2);
      dialogue.machine.body("x\r\n");
      if (whole) dialogue.machine.body_end();
      dialogue.run();
      dialogue.hear("502 5.5.1 what\r\n");
      CHECK(dialogue.is<ClientMachine::Failed>());
      CHECK(dialogue.kinds() == std::vector<Kind>{Kind::deferred, Kind::deferred});
      CHECK(dialogue.machine.chunking_failed());
    }
  }
}

TEST_CASE("once BDAT is known, 5xx behind the last chunk is a refusal as any other") {
  auto dialogue = at_the_body(Protocol::lmtp, 2);
  dialogue.give("x\r\n");
  dialogue.hear("250 stored\r\n503 5.5.1 no\r\n");
  CHECK(dialogue.is<ClientMachine::TransactionDone>());
  CHECK(dialogue.kinds() == std::vector<Kind>{Kind::delivered, Kind::refused});
}

TEST_CASE("a connection that breaks among chunks leaves nobody in doubt, behind the last one everybody") {
  auto among = at_the_body(Protocol::lmtp, 1);
  piece(among, "x\r\n");
  among.machine.disconnected("reset");
  CHECK(among.kinds() == std::vector<Kind>{Kind::deferred});
  auto behind = at_the_body(Protocol::lmtp, 2);
  piece(behind, "x\r\n");
  behind.give("y\r\n");
  behind.hear("250 chunk\r\n250 one\r\n");
  behind.machine.disconnected("reset");
  CHECK(behind.kinds() == std::vector<Kind>{Kind::delivered, Kind::unknown});
}

TEST_CASE("one reply too many behind chunks makes them all worthless") {
  auto dialogue = at_the_body(Protocol::lmtp, 1);
  piece(dialogue, "x\r\n");
  dialogue.give("y\r\n");
  dialogue.hear("250 chunk\r\n250 one\r\n250 two\r\n");
  CHECK(dialogue.is<ClientMachine::Failed>());
  CHECK(dialogue.kinds() == std::vector<Kind>{Kind::unknown});
}

TEST_CASE("a bare line end never goes out with BDAT either") {
  for (const auto& body :
       {std::string{"a\nb"}, std::string{"a\rb"}, std::string("a\0b", 3), std::string{"a\r"}}) {
    auto dialogue = at_the_body(Protocol::smtp, 1);
    CHECK(dialogue.give(body).empty());
    CHECK(dialogue.is<ClientMachine::Failed>());
    CHECK(dialogue.reply(0) == "554 5.6.0");
  }
}

TEST_CASE("BDAT can be left alone") {
  ClientDialogue dialogue{ClientSettings{Protocol::smtp, "hub.example", {}, {}, false}};
  dialogue.connect("250-PIPELINING\r\n250 CHUNKING\r\n");
  CHECK(dialogue.begin(1).find("DATA\r\n") != std::string::npos);
}

}  // namespace relay::smtp
