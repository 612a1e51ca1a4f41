#include <catch2/catch.hpp>

#include "server_dialogue.hpp"

namespace relay::smtp {
namespace {

ServerDialogue begun(ServerSettings settings = {}) {
  ServerDialogue dialogue{std::move(settings)};
  dialogue.greet();
  dialogue.say("MAIL FROM:<a@example.test>\r\nRCPT TO:<b@example.test>\r\n");
  return dialogue;
}

std::string code(const std::string& reply) {
  return reply.substr(0, reply.find(' ', 4));
}

}  // namespace

TEST_CASE("chunks make one message, dots and line ends across chunks included") {
  const std::string wire = "BDAT 4\r\n.\r\n\rBDAT 5\r\n\n.\r\n.BDAT 2 LAST\r\n\r\nQUIT\r\n";
  for (std::size_t piece = 1; piece <= wire.size(); ++piece) {
    INFO(piece);
    auto dialogue = begun();
    const auto written = dialogue.say(wire, piece);
    CHECK(written ==
          "250 2.0.0 chunk received\r\n250 2.0.0 chunk received\r\n250 2.0.0 stored\r\n"
          "221 2.0.0 hub.example closing connection\r\n");
    REQUIRE(dialogue.accepted.size() == 1);
    CHECK(dialogue.accepted[0].body == ".\r\n\r\n.\r\n.\r\n");
  }
}

TEST_CASE("an empty last chunk ends the message") {
  auto dialogue = begun();
  dialogue.say("BDAT 3\r\na\r\nBDAT 0 LAST\r\n");
  REQUIRE(dialogue.accepted.size() == 1);
  CHECK(dialogue.accepted[0].body == "a\r\n");
  auto empty = begun();
  CHECK(empty.say("bdat 0 last\r\n") == "250 2.0.0 stored\r\n");
}

TEST_CASE("octets of a refused chunk are no commands") {
  ServerDialogue dialogue;
  dialogue.greet();
  CHECK(code(dialogue.say("BDAT 6 LAST\r\nNOOP\r\nRSET\r\n")) == "503 5.5.1");
  CHECK(dialogue.output.find("250 2.0.0 OK\r\n") == dialogue.output.size() - 14);
  dialogue.say("MAIL FROM:<a@example.test>\r\n");
  CHECK(code(dialogue.say("BDAT 6\r\nRSET\r\n")) == "503 5.5.1");
  CHECK(dialogue.machine.envelope().sender == "a@example.test");
}

TEST_CASE("a chunk size that cannot be read ends the session") {
  for (const std::string argument :
       {"", " x", " -1", " 99999999999999999999", " 5 FIRST", " 5LAST", " 0x5"}) {
    INFO(argument);
    auto dialogue = begun();
    CHECK(code(dialogue.say("BDAT" + argument + "\r\nNOOP\r\n")) == "501 5.5.4");
    CHECK(dialogue.closed);
  }
}

TEST_CASE("a chunked message with a bare line end, or one cut off at its end, is refused") {
  auto dialogue = begun();
  CHECK(code(dialogue.say("BDAT 3\r\na\nb")) == "554 5.6.0");
  CHECK(dialogue.dropped == std::vector<std::string>{"bare_line_end"});
  CHECK(code(dialogue.say("BDAT 3 LAST\r\nabc")) == "503 5.5.1");
  CHECK(dialogue.accepted.empty());
  CHECK(code(dialogue.say("MAIL FROM:<a@example.test>\r\n")) == "250 2.1.0");
  auto cut = begun();
  CHECK(code(cut.say("BDAT 2 LAST\r\na\r")) == "554 5.6.0");
  CHECK(cut.accepted.empty());
}

TEST_CASE("chunks over the size are swallowed and refused") {
  ServerSettings settings;
  settings.max_message_size = 4;
  auto dialogue = begun(settings);
  CHECK(code(dialogue.say("BDAT 3\r\nabc")) == "250 2.0.0");
  CHECK(code(dialogue.say("BDAT 6\r\nRSET\r\n")) == "552 5.3.4");
  CHECK(dialogue.dropped == std::vector<std::string>{"size"});
  CHECK(code(dialogue.say("NOOP\r\n")) == "250 2.0.0");
}

TEST_CASE("between chunks RSET, EHLO and QUIT drop the message; RCPT and DATA are out of order") {
  for (const std::string command : {"RSET\r\n", "EHLO client.example\r\n", "QUIT\r\n"}) {
    auto dialogue = begun();
    dialogue.say("BDAT 1\r\na" + command);
    CHECK(dialogue.dropped == std::vector<std::string>{"aborted"});
  }
  auto dialogue = begun();
  dialogue.say("BDAT 1\r\na");
  CHECK(code(dialogue.say("RCPT TO:<c@example.test>\r\n")) == "503 5.5.1");
  CHECK(code(dialogue.say("DATA\r\n")) == "503 5.5.1");
  CHECK(dialogue.say("BDAT 2 LAST\r\n\r\n") == "250 2.0.0 stored\r\n");
}

TEST_CASE("what the owner refuses at the first chunk is said behind its octets") {
  auto dialogue = begun();
  dialogue.on_begin = [] { return Reply{452, "4.3.1", "no room"}; };
  CHECK(dialogue.say("BDAT 4 LAST\r\nNOOP") == "452 4.3.1 no room\r\n");
  CHECK(dialogue.accepted.empty());
  CHECK(dialogue.dropped.empty());
}

TEST_CASE("in LMTP the last chunk has a reply for each recipient") {
  ServerSettings settings;
  settings.protocol = Protocol::lmtp;
  ServerDialogue dialogue{settings};
  dialogue.greet_lmtp();
  dialogue.outcome = {{250, "2.0.0", "one"}, {250, "2.0.0", "two"}};
  dialogue.say("MAIL FROM:<>\r\nRCPT TO:<a@b>\r\nRCPT TO:<c@d>\r\n");
  CHECK(dialogue.say("BDAT 1\r\naBDAT 1 LAST\r\nb") ==
        "250 2.0.0 chunk received\r\n250 2.0.0 one\r\n250 2.0.0 two\r\n");
}

}  // namespace relay::smtp
