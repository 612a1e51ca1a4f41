#include <catch2/catch.hpp>

#include "forbidden_ends.hpp"
#include "server_dialogue.hpp"

namespace relay::smtp {
namespace {

ServerSettings lmtp() {
  ServerSettings settings;
  settings.protocol = Protocol::lmtp;
  return settings;
}

bool starts_with(const std::string& text, std::string_view beginning) {
  return text.rfind(beginning, 0) == 0;
}

const std::string transaction = "MAIL FROM:<a@example.test>\r\nRCPT TO:<b@example.test>\r\nDATA\r\n";

}  // namespace

TEST_CASE("a pipelined transaction is answered with one write and handed over whole") {
  ServerDialogue dialogue;
  dialogue.greet();
  const auto written = dialogue.say(transaction + "Subject: x\r\n\r\n..dot\r\n.\r\nQUIT\r\n");
  CHECK(written ==
        "250 2.1.0 OK\r\n250 2.1.5 OK\r\n354 go on, end with a line of one dot\r\n250 2.0.0 stored\r\n221 "
        "2.0.0 hub.example closing "
        "connection\r\n");
  REQUIRE(dialogue.accepted.size() == 1);
  CHECK(dialogue.accepted[0].body == "Subject: x\r\n\r\n.dot\r\n");
  CHECK(dialogue.accepted[0].envelope.sender == "a@example.test");
  CHECK(dialogue.accepted[0].envelope.recipients.at(0).address == "b@example.test");
  CHECK(dialogue.accepted[0].transmission_type == "ESMTP");
  CHECK(dialogue.closed);
}

TEST_CASE("a session gives the same replies however it is split") {
  const auto session = "EHLO client.example\r\n" + transaction + "text\r\n..\r\n.\r\nRSET\r\n" + transaction +
                       "a\nb\r\n.\r\nFOO\r\nQUIT\r\n";
  ServerDialogue whole;
  whole.say(session);
  for (std::size_t piece = 1; piece < 40; ++piece) {
    INFO(piece);
    ServerDialogue dialogue;
    dialogue.say(session, piece);
    CHECK(dialogue.output == whole.output);
    REQUIRE(dialogue.accepted.size() == 1);
    CHECK(dialogue.accepted[0].body == "text\r\n.\r\n");
    CHECK(dialogue.dropped == std::vector<std::string>{"bare_line_end"});
  }
}

TEST_CASE(
    "every forbidden end of data refuses the message, at every split, and nothing of it becomes a command") {
  for (const auto& variant : forbidden_ends()) {
    const auto wire = "Subject: x\r\n\r\ntext" + variant.bytes + "MAIL FROM:<evil@example.test>\r\n\r\n.\r\n";
    for (std::size_t cut = 0; cut <= wire.size(); ++cut) {
      INFO(variant.name << " split at " << cut);
      ServerDialogue dialogue;
      dialogue.greet();
      dialogue.say(transaction);
      auto written = dialogue.say(wire.substr(0, cut));
      written += dialogue.say(wire.substr(cut));
      CHECK(starts_with(written, "554 5.6.0 "));
      CHECK(written.find("\r\n") + 2 == written.size());
      CHECK(dialogue.accepted.empty());
      CHECK(dialogue.dropped.size() == 1);
      CHECK(dialogue.say("NOOP\r\n") == "250 2.0.0 OK\r\n");
    }
  }
}

TEST_CASE("every forbidden end of data is no end of a message over the size either, at every split") {
  ServerSettings settings;
  settings.max_message_size = 8;
  for (const auto& variant : forbidden_ends()) {
    const auto wire = "more than eight" + variant.bytes + "MAIL FROM:<evil@example.test>\r\n\r\n.\r\n";
    for (std::size_t cut = 0; cut <= wire.size(); ++cut) {
      INFO(variant.name << " split at " << cut);
      ServerDialogue dialogue{settings};
      dialogue.greet();
      dialogue.say(transaction);
      auto written = dialogue.say(wire.substr(0, cut));
      written += dialogue.say(wire.substr(cut));
      CHECK((starts_with(written, "552 5.3.4 ") || starts_with(written, "554 5.6.0 ")));
      CHECK(written.find("\r\n") + 2 == written.size());
      CHECK(dialogue.accepted.empty());
      CHECK(dialogue.say("NOOP\r\n") == "250 2.0.0 OK\r\n");
    }
  }
}

TEST_CASE("LMTP answers once for each accepted recipient, in their order") {
  ServerDialogue dialogue{lmtp()};
  dialogue.greet_lmtp();
  dialogue.on_recipient = [](const RecipientCommand& recipient) {
    return recipient.address == "no@example.test" ? Reply{550, "5.1.1", "unknown"}
                                                  : Reply{250, "2.1.5", "OK"};
  };
  dialogue.outcome = {{250, "2.0.0", "one"}, {452, "4.2.2", "two"}};
  dialogue.say(
      "MAIL FROM:<>\r\nRCPT TO:<a@example.test>\r\nRCPT TO:<no@example.test>\r\nRCPT "
      "TO:<b@example.test>\r\nDATA\r\n");
  CHECK(dialogue.say("x\r\n.\r\n") == "250 2.0.0 one\r\n452 4.2.2 two\r\n");
  dialogue.say("MAIL FROM:<>\r\nRCPT TO:<a@example.test>\r\nRCPT TO:<b@example.test>\r\nDATA\r\n");
  CHECK(dialogue.say("x\n\r\n.\r\n").find("\r\n554 5.6.0 ") != std::string::npos);
  dialogue.outcome = {{250, "2.0.0", "one"}};
  dialogue.say("MAIL FROM:<>\r\nRCPT TO:<a@example.test>\r\nRCPT TO:<b@example.test>\r\nDATA\r\n");
  const auto written = dialogue.say("x\r\n.\r\n");
  CHECK(starts_with(written, "250 2.0.0 one\r\n451 4.3.0 "));
}

TEST_CASE(
    "a message of exactly the limit passes; one octet more is swallowed, dropped at once and refused at its "
    "end") {
  ServerSettings settings;
  settings.max_message_size = 100;
  ServerDialogue dialogue{settings};
  dialogue.greet();
  dialogue.say(transaction);
  CHECK(dialogue.say(std::string(98, 'x') + "\r\n.\r\n") == "250 2.0.0 stored\r\n");
  dialogue.say(transaction);
  CHECK(dialogue.say(std::string(99, 'x') + "\r\n").empty());
  CHECK(dialogue.dropped == std::vector<std::string>{"size"});
  dialogue.body_bytes = 0;
  for (int i = 0; i < 100; ++i)
    CHECK(dialogue.say(std::string(10000, 'y')).empty());
  CHECK(dialogue.body_bytes == 0);
  CHECK(starts_with(dialogue.say("\r\n.\r\n"), "552 5.3.4 "));
  CHECK(dialogue.accepted.size() == 1);
  CHECK(starts_with(dialogue.say("MAIL FROM:<a@b>\r\n"), "250 2.1.0"));
}

TEST_CASE("transparency is not counted as size") {
  ServerSettings settings;
  settings.max_message_size = 3;
  ServerDialogue dialogue{settings};
  dialogue.greet();
  dialogue.say(transaction);
  CHECK(dialogue.say("..\r\n.\r\n") == "250 2.0.0 stored\r\n");
}

TEST_CASE("a message that the owner does not want at DATA is no message, and the transaction stands") {
  ServerDialogue dialogue;
  dialogue.greet();
  dialogue.on_begin = [] { return Reply{451, "4.3.1", "no room"}; };
  CHECK(dialogue.say(transaction).find("451 4.3.1 no room\r\n") != std::string::npos);
  dialogue.on_begin = nullptr;
  CHECK(dialogue.say("DATA\r\n") == "354 go on, end with a line of one dot\r\n");
  dialogue.say("x\r\n.\r\n");
  CHECK(dialogue.accepted.size() == 1);
}

TEST_CASE("the bytes of a message are given in runs as long as the input, not line by line") {
  ServerDialogue dialogue;
  dialogue.greet();
  dialogue.say(transaction);
  std::string text;
  while (text.size() < 60000)
    text += "a line of an ordinary message, as they are\r\n";
  dialogue.say(text + ".\r\n");
  REQUIRE(dialogue.runs.size() == 1);
  CHECK(dialogue.runs[0].size() == text.size());
}

}  // namespace relay::smtp
