#include <catch2/catch.hpp>

#include "relay/smtp/reply_parser.hpp"
#include "relay/smtp/server_machine.hpp"

namespace relay::smtp {

TEST_CASE("a reply is written with code and enhanced code on each of its lines") {
  CHECK(serialize({250, "2.0.0", "OK"}) == "250 2.0.0 OK\r\n");
  CHECK(serialize({354, {}, "go on"}) == "354 go on\r\n");
  CHECK(serialize({550, "5.1.1", "one\ntwo\r\nthree"}) ==
        "550-5.1.1 one\r\n550-5.1.1 two\r\n550 5.1.1 three\r\n");
  CHECK(serialize({250, {}, ""}) == "250 \r\n");
}

TEST_CASE("no line of a reply is longer than 512 octets, and all of a long text is said") {
  const auto text = serialize({550, "5.7.1", std::string(2000, 'x')});
  std::size_t said = 0;
  for (std::size_t at = 0; at < text.size();) {
    const auto end = text.find("\r\n", at);
    CHECK(end + 2 - at <= 512);
    said += end - at - 10;
    at = end + 2;
  }
  CHECK(said == 2000);
}

TEST_CASE("a reply cannot be made to hold a line of somebody else's") {
  const auto text = serialize({550, "5.1.1", "no\r250 yes\t\x01\xFF"});
  CHECK(text == "550 5.1.1 no?250 yes???\r\n");
}

TEST_CASE("replies are read line by line, at any split, with enhanced codes taken off") {
  const std::string wire =
      "250-2.1.5 one\r\n250 2.1.5 two\r\n354 go\r\n250\r\n250 5.1.1 odd\r\n550 5.1.1\r\n";
  for (std::size_t cut = 0; cut <= wire.size(); ++cut) {
    ReplyParser parser;
    std::vector<Reply> replies;
    Reply reply;
    for (const auto& piece : {wire.substr(0, cut), wire.substr(cut)}) {
      parser.feed(piece);
      while (parser.next(reply) == ReplyParser::Status::reply)
        replies.push_back(reply);
    }
    REQUIRE(replies.size() == 5);
    CHECK(parser.empty());
    CHECK((replies[0].code == 250 && replies[0].enhanced == "2.1.5" && replies[0].text == "one\ntwo"));
    CHECK((replies[1].code == 354 && replies[1].enhanced.empty() && replies[1].text == "go"));
    CHECK((replies[2].code == 250 && replies[2].text.empty()));
    CHECK((replies[3].enhanced.empty() && replies[3].text == "5.1.1 odd"));
    CHECK((replies[4].enhanced == "5.1.1" && replies[4].text.empty()));
  }
}

TEST_CASE("what is no reply is malformed") {
  for (const std::string wire : {"hello\r\n", "\r\n", "25\r\n", "2500 x\r\n", "650 x\r\n", "150 x\r\n",
                                 "250-a\r\n251 b\r\n", "250-a\r\nb\r\n"}) {
    INFO(wire);
    ReplyParser parser;
    parser.feed(wire);
    Reply reply;
    CHECK(parser.next(reply) == ReplyParser::Status::malformed);
  }
}

TEST_CASE("a reply of more than 64 KiB is malformed, in one line or many, and not stored beyond that") {
  ReplyParser line;
  line.feed("250 " + std::string(max_reply, 'x'));
  Reply reply;
  CHECK(line.next(reply) == ReplyParser::Status::malformed);
  ReplyParser lines;
  auto status = ReplyParser::Status::incomplete;
  int fed = 0;
  for (; status == ReplyParser::Status::incomplete && fed < 1000; ++fed) {
    lines.feed("250-" + std::string(1000, 'x') + "\r\n");
    status = lines.next(reply);
  }
  CHECK(status == ReplyParser::Status::malformed);
  CHECK(fed < 70);
}

TEST_CASE("control characters of a next hop become question marks") {
  ReplyParser parser;
  parser.feed("550 a\tb\x1b[2Jc\r\n");
  Reply reply;
  REQUIRE(parser.next(reply) == ReplyParser::Status::reply);
  CHECK(reply.text == "a?b?[2Jc");
}

}  // namespace relay::smtp
