#include "relay/notification/mime_text.hpp"

#include <catch2/catch.hpp>

namespace relay::notification {

TEST_CASE("printable text is ASCII and bounded") {
  CHECK(printable("a\r\nb\t\xC3\xBC\x7f", 100) == "a??b????");
  CHECK(printable("abcdef", 3) == "abc");
}

TEST_CASE("characters above 127 of an address are written as their numbers") {
  CHECK(ascii_address("a@b") == "a@b");
  CHECK(ascii_address("\xC3\xBC@\xE2\x82\xAC.\xF0\x9F\x98\x80") == "\\x{FC}@\\x{20AC}.\\x{1F600}");
  CHECK(ascii_address("a\r\nb") == "a??b");
  CHECK(ascii_address("\xFC") == "?");
}

TEST_CASE("lines get CRLF, lose NUL and CR, and end at 998 octets") {
  CHECK(canonical_lines("a\nb\r\nc") == "a\r\nb\r\nc\r\n");
  CHECK(canonical_lines(std::string("a\rb\0c\n\n", 7)) == "a?b?c\r\n\r\n");
  CHECK(canonical_lines(std::string(2000, 'x')) ==
        std::string(998, 'x') + "\r\n" + std::string(998, 'x') + "\r\nxxxx\r\n");
}

TEST_CASE(
    "quoted-printable encodes what is not ASCII, equals signs and blanks at line ends, in short lines") {
  CHECK(quoted_printable("S: \xC3\xBC=x \r\n.\r\n") == "S: =C3=BC=3Dx=20\r\n.\r\n");
  const auto quoted = quoted_printable(std::string(300, '\xFF') + "\r\n");
  std::size_t longest = 0;
  for (std::size_t at = 0; at < quoted.size();) {
    const auto end = quoted.find("\r\n", at);
    longest = std::max(longest, end - at);
    at = end + 2;
  }
  CHECK(longest <= 76);
}

}  // namespace relay::notification
