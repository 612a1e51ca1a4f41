#include "relay/smtp/received_field.hpp"

#include <catch2/catch.hpp>

#include "relay/smtp/date.hpp"
#include "relay/smtp/header_scanner.hpp"

namespace relay::smtp {
namespace {

Reception ordinary() {
  Reception reception;
  reception.client_name = "client.example";
  reception.client_address = "192.0.2.1";
  reception.hub_name = "hub1.example.test";
  reception.transmission_type = "ESMTP";
  reception.id = "0192f5c4-7d1e-7a30-9f6b-3f1c2b7a9d10";
  reception.recipient = "alice@example.test";
  reception.received_at = dumpster::Instant{std::chrono::seconds{1769860800}};
  return reception;
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("a Received field says from, by, with, id, for and when") {
  CHECK(received_field(ordinary()) ==
        "Received: from client.example\r\n"
        "\t([192.0.2.1])\r\n"
        "\tby hub1.example.test with ESMTP\r\n"
        "\tid 0192f5c4-7d1e-7a30-9f6b-3f1c2b7a9d10\r\n"
        "\tfor <alice@example.test>;\r\n"
        "\tSat, 31 Jan 2026 12:00:00 +0000\r\n");
}

TEST_CASE("without a single recipient a Received field names none") {
  auto reception = ordinary();
  reception.recipient.reset();
  CHECK_FALSE(has(received_field(reception), "for"));
}

TEST_CASE("addresses become literals; IPv4 within IPv6 is IPv4; what is no address is left out") {
  auto reception = ordinary();
  reception.client_address = "2001:db8::1";
  CHECK(has(received_field(reception), "([IPv6:2001:db8::1])"));
  reception.client_address = "::ffff:192.0.2.7";
  CHECK(has(received_field(reception), "([192.0.2.7])"));
  reception.client_address = "fe80::1%eth0";
  CHECK(has(received_field(reception), "([IPv6:fe80::1])"));
  reception.client_address = "unix) by evil";
  CHECK_FALSE(has(received_field(reception), "evil"));
}

TEST_CASE("nothing that is put in can add a line, a comment or another field") {
  const std::string evil = std::string{"a\r\nX-Evil: 1\r\n\r\n(b) \x01\xFF;"} + '\0' + std::string(2000, 'x');
  Reception reception{evil, evil, evil, evil, evil, evil, evil, evil, {}};
  const auto field = received_field(reception);
  CHECK(field.size() < 1500);
  HeaderScanner scanner;
  scanner.feed(field);
  CHECK(scanner.received_fields() == 1);
  CHECK_FALSE(scanner.done());
  for (std::size_t at = 0; at < field.size(); ++at) {
    const char c = field[at];
    CHECK(((c >= ' ' && c <= '~') || c == '\r' || c == '\n' || c == '\t'));
    if (c == '\n' && at + 1 < field.size()) CHECK(field[at + 1] == '\t');
  }
  CHECK_FALSE(has(field, "for <"));
  CHECK(dumpster_id_field(evil, evil).find("\r\n") == dumpster_id_field(evil, evil).size() - 2);
}

TEST_CASE("UTF-8 recipients are named only in an internationalised transmission") {
  auto reception = ordinary();
  reception.recipient = "\xC3\xBC@example.test";
  CHECK_FALSE(has(received_field(reception), "for <"));
  reception.transmission_type = "UTF8SMTP";
  CHECK(has(received_field(reception), "for <\xC3\xBC@example.test>"));
}

TEST_CASE("the id field names hub and delivery") {
  CHECK(dumpster_id_field("hub1.example.test", "0192f5c4-7d1e-7a30-9f6b-3f1c2b7a9d10") ==
        "X-Dumpster-Id: hub1.example.test/0192f5c4-7d1e-7a30-9f6b-3f1c2b7a9d10\r\n");
}

TEST_CASE("dates are RFC 5322 in UTC") {
  CHECK(to_rfc5322(dumpster::Instant{}) == "Thu, 1 Jan 1970 00:00:00 +0000");
  CHECK(to_rfc5322(dumpster::Instant{std::chrono::microseconds{951782399999999}}) ==
        "Mon, 28 Feb 2000 23:59:59 +0000");
  CHECK(to_rfc5322(dumpster::Instant{std::chrono::seconds{951782400}}) == "Tue, 29 Feb 2000 00:00:00 +0000");
}

TEST_CASE("TLS and the client spoken for stand in comments") {
  auto told = ordinary();
  told.transmission_type = "ESMTPS";
  told.tls = "TLSv1.3 TLS_AES_256_GCM_SHA384, 256 bits";
  told.forwarded_for = "2001:db8::1";
  const auto field = received_field(told);
  CHECK(field.find(" for [IPv6:2001:db8::1])\r\n") != std::string::npos);
  CHECK(field.find(" with ESMTPS\r\n\t(TLSv1.3 TLS_AES_256_GCM_SHA384, 256 bits)\r\n\tid ") !=
        std::string::npos);
  told.tls = "x)\r\nSubject: y (";
  told.forwarded_for = "192.0.2.1)\r\nSubject: y";
  const auto hostile = received_field(told);
  CHECK(hostile.find("\r\nSubject") == std::string::npos);
}

}  // namespace relay::smtp
