#include <catch2/catch.hpp>

#include "client_dialogue.hpp"

namespace relay::smtp {
namespace {

const std::string without_pipelining = "250 8BITMIME\r\n";

}  // namespace

TEST_CASE("the greeting comes first, then EHLO or LHLO, and what is offered is known") {
  ClientDialogue lmtp;
  CHECK(lmtp.run().empty());
  CHECK(std::get<ClientMachine::NeedInput>(lmtp.action).waiting == ClientMachine::Waiting::greeting);
  CHECK(lmtp.hear("220-next\r\n220 ready\r\n") == "LHLO hub.example\r\n");
  CHECK(std::get<ClientMachine::NeedInput>(lmtp.action).waiting == ClientMachine::Waiting::hello);
  lmtp.hear(
      "250-next\r\n250-pipelining\r\n250-SIZE 1000\r\n250-8BITMIME\r\n250-STARTTLS\r\n250-X-DSN\r\n250 "
      "SMTPUTF8\r\n");
  CHECK(lmtp.is<ClientMachine::Ready>());
  const auto& offered = lmtp.machine.extensions();
  CHECK((offered.pipelining && offered.size && offered.eight_bit_mime && offered.smtputf8 &&
         offered.start_tls));
  CHECK((!offered.dsn && !offered.require_tls && offered.max_size == 1000));
  ClientDialogue smtp{Protocol::smtp};
  CHECK(smtp.hear("220 ready\r\n") == "EHLO hub.example\r\n");
}

TEST_CASE("SMTP falls back to HELO when EHLO is refused for good, LMTP does not") {
  ClientDialogue smtp{Protocol::smtp};
  smtp.hear("220 ready\r\n");
  CHECK(smtp.hear("502 what\r\n") == "HELO hub.example\r\n");
  smtp.hear("250 next\r\n");
  CHECK(smtp.is<ClientMachine::Ready>());
  ClientDialogue later{Protocol::smtp};
  later.hear("220 ready\r\n");
  later.hear("451 later\r\n");
  CHECK(later.is<ClientMachine::Failed>());
  ClientDialogue lmtp;
  lmtp.hear("220 ready\r\n");
  lmtp.hear("500 what\r\n");
  CHECK(lmtp.is<ClientMachine::Failed>());
}

TEST_CASE("a greeting that is no welcome fails the connection") {
  for (const std::string greeting : {"421 busy\r\n", "554 no\r\n", "250 hm\r\n", "SSH-2.0\r\n"}) {
    ClientDialogue dialogue;
    dialogue.hear(greeting);
    CHECK(dialogue.is<ClientMachine::Failed>());
  }
}

TEST_CASE("with PIPELINING the envelope and DATA go out in one write") {
  ClientDialogue dialogue;
  dialogue.connect();
  CHECK(dialogue.begin(2) ==
        "MAIL FROM:<s@example.test>\r\nRCPT TO:<r0@example.test>\r\nRCPT TO:<r1@example.test>\r\nDATA\r\n");
  CHECK(std::get<ClientMachine::NeedInput>(dialogue.action).waiting == ClientMachine::Waiting::mail);
  dialogue.hear("250 ok\r\n");
  CHECK(std::get<ClientMachine::NeedInput>(dialogue.action).waiting == ClientMachine::Waiting::recipient);
  dialogue.hear("250 ok\r\n250 ok\r\n");
  CHECK(std::get<ClientMachine::NeedInput>(dialogue.action).waiting == ClientMachine::Waiting::data);
  dialogue.hear("354 go\r\n");
  REQUIRE(dialogue.is<ClientMachine::NeedBody>());
  CHECK(dialogue.give(".a\r\n") == "..a\r\n.\r\n");
  CHECK(std::get<ClientMachine::NeedInput>(dialogue.action).waiting == ClientMachine::Waiting::data_end);
  dialogue.hear("250 2.0.0 one\r\n550 5.2.1 two\r\n");
  REQUIRE(dialogue.is<ClientMachine::TransactionDone>());
  CHECK(dialogue.kinds() == std::vector<Kind>{Kind::delivered, Kind::refused});
  CHECK(dialogue.machine.results()[0].reply.text == "one");
  CHECK(dialogue.reply(1) == "550 5.2.1");
  dialogue.run();
  CHECK(dialogue.is<ClientMachine::Ready>());
}

TEST_CASE("without PIPELINING each command waits for its reply") {
  ClientDialogue dialogue;
  dialogue.connect(without_pipelining);
  CHECK(dialogue.begin(2) == "MAIL FROM:<s@example.test>\r\n");
  CHECK(dialogue.hear("250 ok\r\n") == "RCPT TO:<r0@example.test>\r\n");
  CHECK(dialogue.hear("250 ok\r\n") == "RCPT TO:<r1@example.test>\r\n");
  CHECK(dialogue.hear("250 ok\r\n") == "DATA\r\n");
  dialogue.hear("354 go\r\n");
  CHECK(dialogue.is<ClientMachine::NeedBody>());
}

TEST_CASE("no more than a hundred commands are under way at once") {
  ClientDialogue dialogue;
  dialogue.connect();
  const auto first = dialogue.begin(150);
  CHECK(std::count(first.begin(), first.end(), '\n') == 100);
  std::string replies;
  for (int i = 0; i < 100; ++i)
    replies += "250 ok\r\n";
  const auto second = dialogue.hear(replies);
  CHECK(std::count(second.begin(), second.end(), '\n') == 52);
  CHECK(second.substr(second.size() - 6) == "DATA\r\n");
}

TEST_CASE("replies are understood byte by byte") {
  ClientDialogue dialogue;
  dialogue.connect();
  dialogue.begin(1);
  for (const char byte : std::string{"250 ok\r\n250 ok\r\n354 go\r\n"})
    dialogue.hear({&byte, 1});
  REQUIRE(dialogue.is<ClientMachine::NeedBody>());
  dialogue.give("x\r\n");
  for (const char byte : std::string{"250-2.0.0 a\r\n250 2.0.0 b\r\n"})
    dialogue.hear({&byte, 1});
  REQUIRE(dialogue.is<ClientMachine::TransactionDone>());
  CHECK(dialogue.kinds() == std::vector<Kind>{Kind::delivered});
}

TEST_CASE("a piece of the body is asked for only when the one before is taken to be written") {
  ClientDialogue dialogue;
  dialogue.connect();
  dialogue.begin(1);
  dialogue.hear("250 ok\r\n250 ok\r\n354 go\r\n");
  dialogue.machine.body("abc");
  CHECK(std::holds_alternative<ClientMachine::Send>(dialogue.machine.next()));
  CHECK(std::holds_alternative<ClientMachine::Send>(dialogue.machine.next()));
  CHECK(dialogue.machine.take_output() == "abc");
  CHECK(std::holds_alternative<ClientMachine::NeedBody>(dialogue.machine.next()));
  dialogue.machine.body_end();
  CHECK(dialogue.run() == "\r\n.\r\n");
}

TEST_CASE("in SMTP the one reply is everybody's who was accepted") {
  ClientDialogue dialogue{Protocol::smtp};
  dialogue.connect();
  dialogue.begin(3);
  dialogue.hear("250 ok\r\n250 ok\r\n550 5.1.1 no\r\n251 ok\r\n354 go\r\n");
  dialogue.give("x\r\n");
  dialogue.hear("250 2.0.0 queued\r\n");
  CHECK(dialogue.kinds() == std::vector<Kind>{Kind::delivered, Kind::refused, Kind::delivered});
}

TEST_CASE("in LMTP replies behind the data belong to the accepted recipients in their order") {
  ClientDialogue dialogue;
  dialogue.connect();
  dialogue.begin(4);
  dialogue.hear("250 ok\r\n250 ok\r\n450 4.2.0 later\r\n250 ok\r\n250 ok\r\n354 go\r\n");
  dialogue.give("x\r\n");
  dialogue.hear("250 a\r\n452 4.2.2 full\r\n");
  CHECK(dialogue.is<ClientMachine::NeedInput>());
  dialogue.hear("550 5.7.1 c\r\n");
  CHECK(dialogue.is<ClientMachine::TransactionDone>());
  CHECK(dialogue.kinds() ==
        std::vector<Kind>{Kind::delivered, Kind::deferred, Kind::deferred, Kind::refused});
  CHECK(dialogue.reply(2) == "452 4.2.2");
}

TEST_CASE("a refused MAIL is everybody's reply; what was pipelined behind it is read and ignored") {
  for (const bool pipelining : {true, false}) {
    ClientDialogue dialogue;
    dialogue.connect(pipelining ? "250 PIPELINING\r\n" : without_pipelining);
    dialogue.begin(2);
    dialogue.hear(pipelining ? "452 4.3.1 full\r\n503 a\r\n503 b\r\n503 c\r\n" : "452 4.3.1 full\r\n");
    REQUIRE(dialogue.is<ClientMachine::TransactionDone>());
    CHECK(dialogue.kinds() == std::vector<Kind>{Kind::deferred, Kind::deferred});
    CHECK(dialogue.reply(1) == "452 4.3.1");
    dialogue.run();
    CHECK(dialogue.is<ClientMachine::Ready>());
    CHECK(dialogue.begin(1).substr(0, 4) == "MAIL");
  }
}

TEST_CASE(
    "when no recipient is accepted DATA is not sent, or its refusal changes nothing; RSET goes before the "
    "next MAIL") {
  for (const bool pipelining : {true, false}) {
    ClientDialogue dialogue;
    dialogue.connect(pipelining ? "250 PIPELINING\r\n" : without_pipelining);
    dialogue.begin(1);
    if (pipelining) dialogue.hear("250 ok\r\n550 5.1.1 no\r\n503 no recipients\r\n");
    if (!pipelining) dialogue.hear("250 ok\r\n");
    if (!pipelining) CHECK(dialogue.hear("550 5.1.1 no\r\n").empty());
    REQUIRE(dialogue.is<ClientMachine::TransactionDone>());
    CHECK(dialogue.reply(0) == "550 5.1.1");
    const auto next = dialogue.begin(1);
    CHECK(next.substr(0, 6) == "RSET\r\n");
    CHECK((next.find("MAIL") != std::string::npos) == pipelining);
    dialogue.hear("250 ok\r\n");
    if (pipelining) dialogue.hear("250 ok\r\n250 ok\r\n354 go\r\n");
    CHECK_FALSE(dialogue.is<ClientMachine::Failed>());
  }
}

TEST_CASE("after a delivered transaction the next begins with MAIL") {
  ClientDialogue dialogue;
  dialogue.connect();
  for (int i = 0; i < 3; ++i) {
    CHECK(dialogue.begin(1).substr(0, 4) == "MAIL");
    dialogue.hear("250 ok\r\n250 ok\r\n354 go\r\n");
    dialogue.give("x\r\n");
    dialogue.hear("250 ok\r\n");
    CHECK(dialogue.is<ClientMachine::TransactionDone>());
    dialogue.run();
  }
}

TEST_CASE("DATA accepted without recipients is ended by an empty message in SMTP, and by closing in LMTP") {
  ClientDialogue smtp{Protocol::smtp};
  smtp.connect();
  smtp.begin(1);
  CHECK(smtp.hear("250 ok\r\n550 5.1.1 no\r\n354 go\r\n") == ".\r\n");
  smtp.hear("554 no recipients\r\n");
  CHECK(smtp.is<ClientMachine::TransactionDone>());
  CHECK(smtp.reply(0) == "550 5.1.1");
  ClientDialogue lmtp;
  lmtp.connect();
  lmtp.begin(1);
  CHECK(lmtp.hear("250 ok\r\n550 5.1.1 no\r\n354 go\r\n").empty());
  CHECK(lmtp.is<ClientMachine::Failed>());
  CHECK(lmtp.reply(0) == "550 5.1.1");
}

TEST_CASE("a refused DATA is the reply of all who were accepted, and nobody else's") {
  ClientDialogue dialogue;
  dialogue.connect();
  dialogue.begin(2);
  dialogue.hear("250 ok\r\n250 ok\r\n550 5.1.1 no\r\n451 4.3.0 later\r\n");
  REQUIRE(dialogue.is<ClientMachine::TransactionDone>());
  CHECK(dialogue.reply(0) == "451 4.3.0");
  CHECK(dialogue.reply(1) == "550 5.1.1");
  dialogue.run();
  CHECK(dialogue.begin(1).substr(0, 4) == "RSET");
}

TEST_CASE("552 for too many recipients is temporary, 552 for a full mailbox is not") {
  ClientDialogue dialogue;
  dialogue.connect();
  dialogue.begin(3);
  dialogue.hear("250 ok\r\n250 ok\r\n552 too many\r\n552 5.2.2 full\r\n354 go\r\n");
  dialogue.give("x\r\n");
  dialogue.hear("250 ok\r\n");
  CHECK(dialogue.kinds() == std::vector<Kind>{Kind::delivered, Kind::deferred, Kind::refused});
}

TEST_CASE("parameters go out where they were offered") {
  auto transaction = ClientDialogue::transaction(1);
  transaction.body_type = dumpster::BodyType::eight_bit_mime;
  transaction.smtputf8 = true;
  transaction.size = 77;
  transaction.notify_return = dumpster::NotifyReturn::headers;
  transaction.envelope_id = "x+20y";
  transaction.recipients[0].notify = dumpster::notify::success | dumpster::notify::failure;
  transaction.recipients[0].original_recipient = "rfc822;a+40b";
  const std::string all = "250-PIPELINING\r\n250-SIZE 100\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250 DSN\r\n";
  ClientDialogue smtp{Protocol::smtp};
  smtp.connect(all);
  CHECK(smtp.begin(transaction) ==
        "MAIL FROM:<s@example.test> SIZE=77 BODY=8BITMIME SMTPUTF8 RET=HDRS ENVID=x+20y\r\n"
        "RCPT TO:<r0@example.test> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;a+40b\r\nDATA\r\n");
  ClientDialogue lmtp;
  lmtp.connect(all);
  CHECK(lmtp.begin(transaction) ==
        "MAIL FROM:<s@example.test> SIZE=77 BODY=8BITMIME SMTPUTF8\r\nRCPT TO:<r0@example.test>\r\nDATA\r\n");
  ClientDialogue plain{Protocol::smtp};
  plain.connect("250 PIPELINING\r\n");
  CHECK(plain.begin(1) == "MAIL FROM:<s@example.test>\r\nRCPT TO:<r0@example.test>\r\nDATA\r\n");
}

TEST_CASE("what the next hop cannot take is refused without a word to it") {
  struct Case {
    std::string enhanced;
    ClientTransaction transaction = ClientDialogue::transaction(2);
  };
  std::vector<Case> cases{{"554 5.6.9"}, {"550 5.6.7"}, {"554 5.6.3"},
                          {"554 5.6.3"}, {"552 5.3.4"}, {"550 5.7.30"}};
  cases[0].transaction.smtputf8 = true;
  cases[1].transaction.sender = "\xC3\xBC@example.test";
  cases[2].transaction.body_type = dumpster::BodyType::eight_bit_mime;
  cases[3].transaction.body_type = dumpster::BodyType::binary_mime;
  cases[4].transaction.size = 101;
  cases[5].transaction.require_tls = true;
  for (const auto& tried : cases) {
    ClientDialogue dialogue;
    dialogue.connect("250-PIPELINING\r\n250 SIZE 100\r\n");
    CHECK(dialogue.begin(tried.transaction).empty());
    REQUIRE(dialogue.is<ClientMachine::TransactionDone>());
    CHECK(dialogue.kinds() == std::vector<Kind>{Kind::refused, Kind::refused});
    CHECK(dialogue.reply(1) == tried.enhanced);
    dialogue.run();
    CHECK(dialogue.is<ClientMachine::Ready>());
  }
}

TEST_CASE(
    "a recipient who needs SMTPUTF8 is refused alone, and a declared message that needs it nowhere goes "
    "out") {
  auto transaction = ClientDialogue::transaction(2);
  transaction.recipients[1].address = "\xC3\xBC@example.test";
  transaction.smtputf8 = true;
  transaction.ascii_header = true;
  ClientDialogue dialogue;
  dialogue.connect("250 PIPELINING\r\n");
  CHECK(dialogue.begin(transaction) == "MAIL FROM:<s@example.test>\r\nRCPT TO:<r0@example.test>\r\nDATA\r\n");
  CHECK(dialogue.reply(1) == "550 5.6.7");
}

TEST_CASE("what peers say is kept short and clean") {
  ClientDialogue dialogue{Protocol::smtp};
  dialogue.connect("250 PIPELINING\r\n");
  dialogue.begin(1);
  dialogue.hear("550-\x1b[31mred\xff\xc3\xa4\r\n550 " + std::string(5000, 'x') + "\r\n");
  dialogue.hear("250 ok\r\n503 none\r\n");
  REQUIRE(dialogue.is<ClientMachine::TransactionDone>());
  const auto& text = dialogue.machine.results()[0].reply.text;
  CHECK(text.substr(0, 14) == "?[31mred?\xc3\xa4\nxx");
  CHECK(text.size() == 1003);
  CHECK(text.substr(text.size() - 4) == "x...");
}

TEST_CASE("an address that would end its command is refused, the others go on") {
  auto transaction = ClientDialogue::transaction(2);
  transaction.recipients[0].address = "a@b>\r\nRCPT TO:<evil@example.test";
  ClientDialogue dialogue;
  dialogue.connect();
  CHECK(dialogue.begin(transaction) == "MAIL FROM:<s@example.test>\r\nRCPT TO:<r1@example.test>\r\nDATA\r\n");
  CHECK(dialogue.reply(0) == "501 5.1.3");
  transaction.sender = "a\r\nb";
  ClientDialogue other;
  other.connect();
  CHECK(other.begin(transaction).empty());
  CHECK(other.kinds() == std::vector<Kind>{Kind::refused, Kind::refused});
}

TEST_CASE("QUIT is said at the end, and its reply ends the connection") {
  ClientDialogue dialogue;
  dialogue.connect();
  dialogue.machine.quit();
  CHECK(dialogue.run() == "QUIT\r\n");
  CHECK(std::get<ClientMachine::NeedInput>(dialogue.action).waiting == ClientMachine::Waiting::quit);
  dialogue.hear("221 bye\r\n");
  CHECK(dialogue.is<ClientMachine::Failed>());
}

}  // namespace relay::smtp
