#include "relay/smtp/header_scanner.hpp"

#include <catch2/catch.hpp>

namespace relay::smtp {
namespace {

HeaderScanner scan(const std::string& text, std::size_t piece = 100000) {
  HeaderScanner scanner;
  for (std::size_t at = 0; at < text.size(); at += piece)
    scanner.feed(std::string_view{text}.substr(at, piece));
  return scanner;
}

std::string id_of(const std::string& field) {
  return scan(field + "\r\n\r\n").message_id();
}

}  // namespace

TEST_CASE("the fields of interest are found in any case and at any split, in the header alone") {
  const std::string text =
      "Received: from a\r\n\tby b\r\nRECEIVED : from c\r\nX-Received: no\r\nno field at all\r\ndate: now\r\n"
      "Message-Id:\r\n (a comment)\r\n <one@example.test>\r\nMessage-ID: <two@example.test>\r\nReceived: "
      "from d\r\n\r\n"
      "Received: body\r\n";
  for (std::size_t piece = 1; piece <= text.size(); ++piece) {
    INFO(piece);
    const auto scanner = scan(text, piece);
    CHECK(scanner.done());
    CHECK(scanner.received_fields() == 3);
    CHECK(scanner.has_date());
    CHECK(scanner.has_message_id());
    CHECK(scanner.message_id() == "one@example.test");
  }
}

TEST_CASE("a message without the fields, or without a body, has none") {
  const auto nothing = scan("Subject: x\r\n\r\nDate: now\r\nMessage-ID: <a@b>\r\n");
  CHECK_FALSE(nothing.has_date());
  CHECK_FALSE(nothing.has_message_id());
  CHECK(nothing.message_id().empty());
  const auto empty = scan("\r\nMessage-ID: <a@b>\r\n");
  CHECK(empty.done());
  CHECK_FALSE(empty.has_message_id());
  const auto header_alone = scan("Message-ID: <a@b>\r\n");
  CHECK_FALSE(header_alone.done());
  CHECK(header_alone.message_id() == "a@b");
}

TEST_CASE("a Message-ID is what is between the angle brackets, comments and folding aside") {
  CHECK(id_of("Message-ID: <a@b>") == "a@b");
  CHECK(id_of("Message-ID:<a@b> (x (y) \\) z)") == "a@b");
  CHECK(id_of("Message-ID: (<no@b>) <a@b>") == "a@b");
  CHECK(id_of("Message-ID: <\xC3\xBC\xFF@b>") == "\xC3\xBC\xFF@b");
  CHECK(id_of("Message-ID: <without-at>") == "without-at");
  for (const std::string field :
       {"Message-ID:", "Message-ID: a@b", "Message-ID: <a@b", "Message-ID: <a b@c>", "Message-ID: <a@b> x",
        "Message-ID: (<a@b>", "Message-ID: <a<b>", "Message-ID: <a@b\x01>", "Message-ID: <a@b>\\"}) {
    INFO(field);
    CHECK(id_of(field).empty());
    CHECK(scan(field + "\r\n\r\n").has_message_id());
  }
}

TEST_CASE("the first Message-ID counts, even when it is malformed") {
  CHECK(id_of("Message-ID: none\r\nMessage-ID: <a@b>").empty());
}

TEST_CASE("a Message-ID of 998 octets passes, a longer one is none, and comments do not grow without bound") {
  const std::string longest(998, 'x');
  CHECK(id_of("Message-ID: <" + longest + ">") == longest);
  CHECK(id_of("Message-ID: <" + longest + "x>").empty());
  CHECK(id_of("Message-ID: (" + std::string(20000, 'c') + ") <a@b>").empty());
}

TEST_CASE("behind 256 KiB of header, or a line of more than 64 KiB, nothing is looked at") {
  std::string filler;
  while (filler.size() < 256 * 1024)
    filler += "X-Filler: " + std::string(60, 'x') + "\r\n";
  CHECK_FALSE(scan(filler + "Date: now\r\n\r\n").has_date());
  CHECK(scan(filler, 1000).done());
  CHECK(scan(filler.substr(0, 200 * 1024 / 72 * 72) + "Date: now\r\n\r\n").has_date());
  const auto line = "X: " + std::string(64 * 1024 - 5, 'x') + "\r\n";
  CHECK(scan(line + "Date: now\r\n\r\n", 999).has_date());
  CHECK_FALSE(scan("X" + line + "Date: now\r\n\r\n", 999).has_date());
  CHECK(scan("Message-ID: <a@b>\r\nX" + line).message_id() == "a@b");
  CHECK(scan("Message-ID: <a@b>\r\n " + line).message_id().empty());
}

TEST_CASE("passes through this hub are counted, folded or not, in any case, and nobody else's") {
  const std::string header =
      "Received: from a.example\r\n\tby hub1.example.test with ESMTP\r\n\tid 1; date\r\n"
      "received: from b.example by HUB1.example.test; date\r\n"
      "Received: from hub1.example.test by hub10.example.test; date\r\n"
      "Received: from c.example (by hub1.example.test) by other.example; date\r\n"
      "Subject: by hub1.example.test\r\n\r\nReceived: by hub1.example.test; date\r\n";
  for (const std::size_t piece : {1U, 3U, 100000U}) {
    HeaderScanner scanner{"hub1.example.test"};
    for (std::size_t at = 0; at < header.size(); at += piece)
      scanner.feed(std::string_view{header}.substr(at, piece));
    CHECK(scanner.passes() == 2);
    CHECK(scanner.received_fields() == 4);
    CHECK(scanner.header_ended());
  }
  HeaderScanner last{"hub1.example.test"};
  last.feed("Received: from a by hub1.example.test");
  CHECK(last.passes() == 1);
  CHECK_FALSE(last.header_ended());
}

}  // namespace relay::smtp
