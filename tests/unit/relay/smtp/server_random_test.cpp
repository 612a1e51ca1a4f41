#include <catch2/catch.hpp>
#include <random>

#include "forbidden_ends.hpp"
#include "server_dialogue.hpp"

namespace relay::smtp {
namespace {

/// Pieces from which sessions are put together, so that random input gets past the first command.
std::string random_piece(std::mt19937& random) {
  static const std::vector<std::string> pieces{"EHLO a\r\n",
                                               "LHLO a\r\n",
                                               "MAIL FROM:<a@b>\r\n",
                                               "RCPT TO:<c@d>\r\n",
                                               "DATA\r\n",
                                               "BDAT 7\r\n",
                                               "BDAT 3 LAST\r\n",
                                               "RSET\r\n",
                                               "NOOP\r\n",
                                               "\r\n.\r\n",
                                               "\r\n",
                                               "\r",
                                               "\n",
                                               ".",
                                               "..",
                                               "text",
                                               "MAIL ",
                                               "RCPT TO:<",
                                               "\"",
                                               "\\",
                                               "@",
                                               ">",
                                               " SIZE=",
                                               "\xC3\xBC"};
  const auto ends = forbidden_ends();
  switch (random() % 8) {
    case 0: {
      std::string bytes(random() % 60, '\0');
      for (auto& byte : bytes)
        byte = static_cast<char>(random() % 256);
      return bytes;
    }
    case 1:
      return ends[random() % ends.size()].bytes;
    case 2:
      return std::string(random() % 3000, 'x');
    default:
      return pieces[random() % pieces.size()];
  }
}

bool is_clean(const std::string& body) {
  for (std::size_t at = 0; at < body.size(); ++at) {
    if (body[at] == '\0') return false;
    if (body[at] == '\n' && (at == 0 || body[at - 1] != '\r')) return false;
    if (body[at] == '\r' && (at + 1 == body.size() || body[at + 1] != '\n')) return false;
  }
  return true;
}

}  // namespace

TEST_CASE("whatever a client sends, replies are whole lines, output is bounded and only clean messages end") {
  constexpr std::uint32_t seed = 20260131;
  INFO("seed " << seed);
  std::mt19937 random{seed};
  std::size_t accepted = 0;
  for (int round = 0; round < 3000; ++round) {
    ServerSettings settings;
    settings.protocol = random() % 2 == 0 ? Protocol::smtp : Protocol::lmtp;
    settings.max_message_size = 5000;
    settings.max_recipients = 3;
    ServerDialogue dialogue{settings};
    std::string wire;
    if (random() % 4 != 0) wire = "EHLO a\r\nLHLO a\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n";
    for (auto pieces = random() % 40; pieces > 0; --pieces)
      wire += random_piece(random);
    dialogue.say(wire, 1 + random() % 400);
    INFO("round " << round);
    REQUIRE(dialogue.output.size() <= 64 + wire.size() * 128);
    REQUIRE(dialogue.output.substr(dialogue.output.size() - 2) == "\r\n");
    for (const auto& message : dialogue.accepted) {
      REQUIRE(is_clean(message.body));
      REQUIRE(message.body.size() <= settings.max_message_size);
      REQUIRE_FALSE(message.envelope.recipients.empty());
    }
    accepted += dialogue.accepted.size();
  }
  CHECK(accepted > 100);  // or the input never got as far as that
}

}  // namespace relay::smtp
