#include "relay/smtp/data_decoder.hpp"

#include <catch2/catch.hpp>
#include <random>
#include <string>
#include <vector>

#include "forbidden_ends.hpp"
#include "relay/smtp/data_encoder.hpp"

namespace relay::smtp {
namespace {

struct Decoded {
  std::string body;
  std::vector<DataDecoder::Kind> faults;
  bool ended = false;
  std::string left;  ///< of the input, behind the end
};

/// Feeds the pieces between the cuts.
Decoded decode(const std::string& wire, const std::vector<std::size_t>& cuts,
               DataDecoder::Framing framing = DataDecoder::Framing::dots, bool discard = false) {
  DataDecoder decoder{framing};
  if (discard) decoder.discard();
  Decoded decoded;
  std::size_t from = 0;
  auto ends = cuts;
  ends.push_back(wire.size());
  for (const auto to : ends) {
    const std::vector<char> piece(wire.begin() + static_cast<std::ptrdiff_t>(from),
                                  wire.begin() + static_cast<std::ptrdiff_t>(to));
    from = to;
    std::string_view input{piece.data(), piece.size()};
    while (!decoded.ended) {
      const auto step = decoder.decode(input);
      if (step.kind == DataDecoder::Kind::more) break;
      if (step.kind == DataDecoder::Kind::end) {
        decoded.ended = true;
      } else if (step.kind == DataDecoder::Kind::bytes) {
        decoded.body += step.bytes;
      } else {
        decoded.faults.push_back(step.kind);
      }
    }
    if (decoded.ended) decoded.left += input;
  }
  return decoded;
}

std::string encode(const std::string& body, const std::vector<std::size_t>& cuts) {
  DataEncoder encoder;
  std::string wire;
  std::size_t from = 0;
  auto ends = cuts;
  ends.push_back(body.size());
  for (const auto to : ends) {
    REQUIRE(encoder.encode(std::string_view{body}.substr(from, to - from), wire));
    from = to;
  }
  REQUIRE(encoder.finish(wire));
  return wire;
}

}  // namespace

TEST_CASE("only CRLF.CRLF ends the data") {
  const auto decoded = decode("a\r\n..\r\nb.\r\n\r\n.\r\nQUIT\r\n", {});
  CHECK(decoded.ended);
  CHECK(decoded.body == "a\r\n.\r\nb.\r\n\r\n");
  CHECK(decoded.left == "QUIT\r\n");
  CHECK(decoded.faults.empty());
}

TEST_CASE("a dot right behind DATA ends an empty message") {
  const auto decoded = decode(".\r\n", {});
  CHECK(decoded.ended);
  CHECK(decoded.body.empty());
}

TEST_CASE("every other end of data is a fault and no end, wherever the input is split") {
  for (const auto& variant : forbidden_ends()) {
    const auto wire = "Subject: x\r\n\r\ntext" + variant.bytes + "MAIL FROM:<a@b>\r\n";
    for (std::size_t cut = 0; cut <= wire.size(); ++cut) {
      INFO(variant.name << " split at " << cut);
      for (const bool discard : {false, true}) {
        const auto decoded = decode(wire, {cut}, DataDecoder::Framing::dots, discard);
        CHECK_FALSE(decoded.ended);
        if (!discard) CHECK(decoded.faults.size() == 1);
        for (const char forbidden : {'\0'})
          CHECK(decoded.body.find(forbidden) == std::string::npos);
        const auto whole = decode(wire + "\r\n.\r\nNOOP\r\n", {cut}, DataDecoder::Framing::dots, discard);
        CHECK(whole.ended);
        CHECK(whole.left == "NOOP\r\n");
      }
    }
  }
}

TEST_CASE(
    "what is before the first fault is passed on, and the fault is the same, wherever the input is split") {
  using Kind = DataDecoder::Kind;
  const auto check = [](const std::string& text, const std::string& body, Kind fault) {
    const std::string wire = text + "\r\n.\r\n";
    for (std::size_t cut = 0; cut <= wire.size(); ++cut) {
      const auto decoded = decode(wire, {cut});
      CHECK(decoded.body == body);
      CHECK(decoded.faults == std::vector<Kind>{fault});
      CHECK(decoded.ended);
    }
  };
  check("one\r\ntwo\rthree", "one\r\ntwo", Kind::bare_cr);
  check("one\r\ntwo\nthree", "one\r\ntwo", Kind::bare_lf);
  check(std::string{"one\r\ntwo\0three", 14}, "one\r\ntwo", Kind::nul);
  check(std::string{"one\r\0two", 8}, "one", Kind::bare_cr);
  check(std::string{"one\0two\rthree\n", 14}, "one", Kind::nul);
  check("\ntwo\rthree", "", Kind::bare_lf);
}

TEST_CASE("a fault is found byte by byte as in one piece") {
  for (const auto& variant : forbidden_ends()) {
    INFO(variant.name);
    const auto wire = "text" + variant.bytes + "x\r\n.\r\n";
    std::vector<std::size_t> cuts;
    for (std::size_t at = 1; at < wire.size(); ++at)
      cuts.push_back(at);
    const auto decoded = decode(wire, cuts);
    CHECK(decoded.ended);
    CHECK(decoded.faults.size() == 1);
  }
}

TEST_CASE("the bytes given are runs over many lines, cut only where a dot was removed") {
  DataDecoder decoder;
  std::string text;
  for (int i = 0; i < 1000; ++i)
    text += "a line of text\r\n";
  const auto wire = text + ".." + text + ".\r\n";
  std::string_view input{wire};
  CHECK(decoder.decode(input).bytes.size() == text.size());
  CHECK(decoder.decode(input).bytes.size() == text.size() + 1);
  CHECK(decoder.decode(input).kind == DataDecoder::Kind::end);
}

TEST_CASE("with counted framing dots mean nothing and line ends are looked at all the same") {
  const auto decoded = decode(".\r\n..\r\n.", {}, DataDecoder::Framing::counted);
  CHECK(decoded.body == ".\r\n..\r\n.");
  CHECK_FALSE(decoded.ended);
  CHECK(decode("a\nb", {}, DataDecoder::Framing::counted).faults.size() == 1);
  DataDecoder decoder{DataDecoder::Framing::counted};
  std::string_view input = "a\r";
  decoder.decode(input);
  CHECK_FALSE(decoder.may_end());
}

TEST_CASE("the encoder ends a message that lacks its last CRLF, and doubles dots at line starts alone") {
  CHECK(encode("", {}) == ".\r\n");
  CHECK(encode("a", {}) == "a\r\n.\r\n");
  CHECK(encode("a\r\n", {}) == "a\r\n.\r\n");
  CHECK(encode(".\r\n.a\r\nb.c\r\n", {}) == "..\r\n..a\r\nb.c\r\n.\r\n");
}

TEST_CASE("the encoder never writes what a message must not hold") {
  for (const std::string body : {"a\rb", "a\nb", "\n", "a\r\r\n"}) {
    for (std::size_t cut = 0; cut <= body.size(); ++cut) {
      DataEncoder encoder;
      std::string wire;
      const bool passed = encoder.encode(body.substr(0, cut), wire) && encoder.encode(body.substr(cut), wire);
      CHECK_FALSE((passed && encoder.finish(wire)));
    }
  }
  DataEncoder nul;
  std::string wire;
  CHECK_FALSE(nul.encode(std::string_view{"a\0b", 3}, wire));
  DataEncoder open;
  CHECK(open.encode("a\r", wire));
  CHECK_FALSE(open.finish(wire));
}

TEST_CASE("what was encoded is decoded to the same bytes, at every split of a small text") {
  const std::string body = ".\r\n..a\r\n\r\n.\r\n..\r\nb.\r\n";
  for (std::size_t first = 0; first <= body.size(); ++first) {
    const auto wire = encode(body, {first});
    for (std::size_t one = 0; one <= wire.size(); ++one) {
      for (std::size_t two = one; two <= wire.size(); ++two) {
        const auto decoded = decode(wire, {one, two});
        REQUIRE(decoded.ended);
        REQUIRE(decoded.faults.empty());
        REQUIRE(decoded.body == body);
      }
    }
  }
}

TEST_CASE("what was encoded is decoded to the same bytes, for random texts and splits") {
  const auto seed = std::random_device{}();
  INFO("seed " << seed);
  std::mt19937 random{seed};
  for (int round = 0; round < 500; ++round) {
    std::string body;
    const auto lines = random() % 40;
    for (std::size_t line = 0; line < lines; ++line) {
      const auto size = random() % 5 == 0 ? random() % 2000 : random() % 6;
      for (std::size_t i = 0; i < size; ++i)
        body += random() % 3 == 0 ? '.' : static_cast<char>(128 + random() % 128);
      body += "\r\n";
    }
    const auto some_cuts = [&random](std::size_t size) {
      std::vector<std::size_t> cuts;
      for (std::size_t at = 0; at < size; at += 1 + random() % 300)
        cuts.push_back(at);
      return cuts;
    };
    const auto wire = encode(body, some_cuts(body.size()));
    const auto decoded = decode(wire, some_cuts(wire.size()));
    REQUIRE(decoded.ended);
    REQUIRE(decoded.faults.empty());
    REQUIRE(decoded.body == body);
    REQUIRE(decoded.left.empty());
  }
}

}  // namespace relay::smtp
