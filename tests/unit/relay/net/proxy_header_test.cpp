#include <catch2/catch.hpp>
#include <string>

#include "relay/net/proxy_header.hpp"

namespace relay {
namespace {

using State = ProxyHeaderReader::State;

const std::string signature{"\r\n\r\n\0\r\nQUIT\n", 12};

/// Feeds what the reader wants, `most` bytes at once; gives what it left.
std::string read(ProxyHeaderReader& reader, std::string wire, std::size_t most = 4096) {
  while (reader.wanted() > 0 && !wire.empty()) {
    const auto size = std::min({reader.wanted(), most, wire.size()});
    reader.feed(wire.substr(0, size));
    wire.erase(0, size);
  }
  return wire;
}

State state_of(const std::string& wire) {
  ProxyHeaderReader reader;
  read(reader, wire);
  return reader.state();
}

std::string binary(unsigned char command, unsigned char family, const std::string& addresses) {
  std::string header = signature;
  header.push_back(static_cast<char>(command));
  header.push_back(static_cast<char>(family));
  header.push_back(static_cast<char>(addresses.size() >> 8U));
  header.push_back(static_cast<char>(addresses.size() & 0xFFU));
  return header + addresses;
}

const std::string four{"\xc0\x00\x02\x01\xc0\x00\x02\x02\xdc\x04\x00\x19", 12};

}  // namespace

TEST_CASE("the text form names the client, and not a byte behind it is read, at every split") {
  const std::string header = "PROXY TCP4 192.0.2.1 192.0.2.2 56324 25\r\n";
  for (std::size_t most = 1; most < 60; ++most) {
    ProxyHeaderReader reader;
    CHECK(read(reader, header + "EHLO x\r\n", most) == "EHLO x\r\n");
    REQUIRE(reader.state() == State::done);
    REQUIRE(reader.client());
    CHECK(reader.client()->address().to_string() == "192.0.2.1");
    CHECK(reader.client()->port() == 56324);
  }
  ProxyHeaderReader v6;
  read(v6, "PROXY TCP6 2001:db8::1 2001:db8::2 1 25\r\n");
  REQUIRE(v6.client());
  CHECK(v6.client()->address().to_string() == "2001:db8::1");
}

TEST_CASE("the binary form names the client, and not a byte behind it is read, at every split") {
  const auto header = binary(0x21, 0x11, four + std::string{"\x04\x00\x02xx", 5});
  for (std::size_t most = 1; most < 60; ++most) {
    ProxyHeaderReader reader;
    CHECK(read(reader, header + "\x16\x03\x01", most) == "\x16\x03\x01");
    REQUIRE(reader.state() == State::done);
    REQUIRE(reader.client());
    CHECK(reader.client()->address().to_string() == "192.0.2.1");
    CHECK(reader.client()->port() == 56324);
  }
  ProxyHeaderReader v6;
  read(v6,
       binary(0x21, 0x21, std::string(15, '\0') + '\1' + std::string(16, '\0') + std::string{"\0\1\0\2", 4}));
  REQUIRE(v6.client());
  CHECK(v6.client()->address().to_string() == "::1");
}

TEST_CASE("a proxy may speak for itself") {
  for (const auto& wire : {std::string{"PROXY UNKNOWN\r\n"}, std::string{"PROXY UNKNOWN ffff:f 1 2 3\r\n"},
                           binary(0x20, 0x00, ""), binary(0x20, 0x11, four), binary(0x21, 0x31, four)}) {
    ProxyHeaderReader reader;
    read(reader, wire);
    CHECK(reader.state() == State::done);
    CHECK_FALSE(reader.client());
  }
}

TEST_CASE("what is no header is malformed and never waits for more") {
  const std::string bad[] = {
      "EHLO client.example\r\n",
      "PROXY TCP4 192.0.2.1 192.0.2.2 56324\r\n",
      "PROXY TCP4 192.0.2.1 192.0.2.2 56324 25 26\r\n",
      "PROXY TCP4 192.0.2.1 192.0.2.2 56324 70000\r\n",
      "PROXY TCP4 192.0.2.1 192.0.2.2 +1 25\r\n",
      "PROXY TCP4 192.0.2.1 192.0.2.2 01 25\r\n",
      "PROXY TCP4 2001:db8::1 192.0.2.2 1 25\r\n",
      "PROXY TCP6 192.0.2.1 192.0.2.2 1 25\r\n",
      "PROXY TCP6 fe80::1%1 fe80::2 1 25\r\n",
      "PROXY TCP5 192.0.2.1 192.0.2.2 1 25\r\n",
      "PROXY TCP4 192.0.2.1 192.0.2.2 1 25\n",
      "PROXY  TCP4 192.0.2.1 192.0.2.2 1 25\r\n",
      "PROXY TCP4 " + std::string(200, '1'),
      binary(0x11, 0x11, four),
      binary(0x22, 0x11, four),
      binary(0x21, 0x11, four.substr(0, 11)),
      binary(0x21, 0x21, four),
      binary(0x21, 0x11, std::string(5000, 'x')),
  };
  for (const auto& wire : bad) {
    INFO(wire);
    CHECK(state_of(wire) == State::malformed);
  }
  CHECK(state_of("PROXY TCP4 192.0.2.1") == State::reading);
}

}  // namespace relay
