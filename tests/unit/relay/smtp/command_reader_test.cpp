#include "relay/smtp/command_reader.hpp"

#include <catch2/catch.hpp>
#include <vector>

namespace relay::smtp {
namespace {

using Kind = CommandReader::Kind;

struct Got {
  Kind kind;
  std::string text;
  bool operator==(const Got&) const = default;
};

std::vector<Got> read_all(const std::string& wire, std::size_t piece) {
  CommandReader reader;
  std::vector<Got> lines;
  for (std::size_t at = 0; at < wire.size(); at += piece) {
    const auto bytes = wire.substr(at, piece);
    std::string_view input = bytes;
    while (true) {
      const auto line = reader.read(input);
      if (line.kind == Kind::incomplete) break;
      lines.push_back({line.kind, std::string{line.text}});
    }
  }
  return lines;
}

}  // namespace

TEST_CASE("command lines end with CRLF, whatever the split") {
  const auto wire = "NOOP\r\n\r\nMAIL FROM:<a@b>\r\nX\rY\r\n" + std::string("a\0b\r\n", 5) + "Z\r\r\nOK\r\n";
  const std::vector<Got> lines{{Kind::line, "NOOP"},  {Kind::line, ""},      {Kind::line, "MAIL FROM:<a@b>"},
                               {Kind::forbidden, ""}, {Kind::forbidden, ""}, {Kind::forbidden, ""},
                               {Kind::line, "OK"}};
  for (std::size_t piece = 1; piece <= wire.size(); ++piece) {
    INFO(piece);
    CHECK(read_all(wire, piece) == lines);
  }
}

TEST_CASE("an LF without CR is told at once") {
  for (const std::string wire : {"NOOP\n", "\n", "a\rb\n"}) {
    for (std::size_t piece = 1; piece <= wire.size(); ++piece) {
      const auto lines = read_all(wire, piece);
      REQUIRE(lines.size() == 1);
      CHECK(lines[0].kind == Kind::bare_lf);
    }
  }
}

TEST_CASE("a line of max_command_line octets with its CRLF passes, one octet more is skipped to its end") {
  const auto longest = std::string(max_command_line - 2, 'x');
  for (const std::size_t piece : {1, 7, 1000, 5000}) {
    CHECK(read_all(longest + "\r\nNOOP\r\n", piece) ==
          std::vector<Got>{{Kind::line, longest}, {Kind::line, "NOOP"}});
    CHECK(read_all(longest + "x\r\nNOOP\r\n", piece) ==
          std::vector<Got>{{Kind::too_long, ""}, {Kind::line, "NOOP"}});
    CHECK(read_all(std::string(60000, 'x') + "\r\nNOOP\r\n", piece) ==
          std::vector<Got>{{Kind::too_long, ""}, {Kind::line, "NOOP"}});
  }
}

TEST_CASE("a line without an end is given up") {
  const auto lines = read_all(std::string(100000, 'x'), 1000);
  REQUIRE_FALSE(lines.empty());
  CHECK(lines.front().kind == Kind::endless);
}

}  // namespace relay::smtp
