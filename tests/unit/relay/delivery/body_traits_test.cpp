#include <catch2/catch.hpp>

#include "relay/delivery/body_traits.hpp"

using relay::BodyTraitsReader;

namespace {

relay::BodyTraits traits_of(const std::string& message, std::size_t piece) {
  BodyTraitsReader reader;
  for (std::size_t at = 0; at < message.size(); at += piece)
    reader.take(std::string_view{message}.substr(at, piece));
  return reader.traits();
}

}  // namespace

TEST_CASE("what a message needs is found wherever it is split") {
  struct Case {
    std::string message;
    bool ascii_header;
    bool ascii;
  };
  const std::vector<Case> cases{{"Subject: x\r\n\r\ntext\r\n", true, true},
                                {"Subject: \xC3\xBC\r\n\r\ntext\r\n", false, false},
                                {"Subject: x\r\n\r\n\xC3\xBC\r\n", true, false},
                                {"Subject: x\r\n\xC3\xBC: y\r\n\r\ntext\r\n", false, false},
                                {"\r\n\xC3\xBC\r\n", true, false},
                                {"Subject: no end \xC3\xBC", false, false},
                                {"", true, true}};
  for (const auto& tried : cases) {
    for (std::size_t piece = 1; piece < 30; ++piece) {
      CAPTURE(tried.message, piece);
      CHECK(traits_of(tried.message, piece).ascii_header == tried.ascii_header);
      CHECK(traits_of(tried.message, piece).ascii == tried.ascii);
    }
  }
}
