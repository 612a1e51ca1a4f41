#include <catch2/catch.hpp>

#include "relay/directory/ldap/filter.hpp"
#include "relay/directory/ldap/server_url.hpp"

using relay::ldap::escaped;
using relay::ldap::FilterFault;
using relay::ldap::FilterTemplate;
using relay::ldap::server_url_from;

namespace {

FilterTemplate filter(std::string_view text) {
  auto parsed = FilterTemplate::parse(text);
  REQUIRE(std::holds_alternative<FilterTemplate>(parsed));
  return std::get<FilterTemplate>(parsed);
}

bool is_fault(std::string_view text) {
  return std::holds_alternative<FilterFault>(FilterTemplate::parse(text));
}

}  // namespace

TEST_CASE("what has a meaning in a search filter is escaped in a value") {
  CHECK(escaped("alice@example.test") == "alice@example.test");
  CHECK(escaped("*)(uid=*") == "\\2a\\29\\28uid=\\2a");
  CHECK(escaped("a\\b") == "a\\5cb");
  CHECK(escaped(std::string_view{"a\0b", 3}) == "a\\00b");
  CHECK(escaped("\x01\x7f\xc3\xa9") == "\\01\\7f\\c3\\a9");
}

TEST_CASE("address, local part and domain stand where the filter asks for them") {
  CHECK(filter("(mail=%s)").fill("alice@example.test") == "(mail=alice@example.test)");
  CHECK(filter("(&(uid=%u)(o=%d))").fill("alice+x@example.test") == "(&(uid=alice+x)(o=example.test))");
  CHECK(filter("(|(mail=%s)(n=100%%)(!(uid=%u)))").fill("a@x.test") ==
        "(|(mail=a@x.test)(n=100%)(!(uid=a)))");
  CHECK(filter("(mail=%s)").fill("\"a*b\"@x.test") == "(mail=\"a\\2ab\"@x.test)");
  CHECK(filter("(uid=%u)").fill("\"(a)\"@x.test") == "(uid=\\28a\\29)");
}

TEST_CASE("a whole domain is asked for with the at sign, and not where a local part is needed") {
  CHECK(filter("(mail=%s)").fill("@example.test") == "(mail=@example.test)");
  CHECK(filter("(|(mail=%s)(uid=%u))").fill("@example.test") == std::nullopt);
  CHECK(filter("(mail=%s)").fill("postmaster") == "(mail=postmaster)");
  CHECK(filter("(&(uid=%u)(o=%d))").fill("postmaster") == std::nullopt);
}

TEST_CASE("a filter that a server would refuse is a fault, and one that finds the same for everybody") {
  for (const auto* text :
       {"", "mail=%s", "(mail=%s", "(mail=%s))", "(&)", "(!(a=%s)(b=1))", "(=%s)", "(mail%s)", "(mail=%x)",
        "(mail=%", "(mail=%s\\zz)", "(mail=%s)(uid=%u)", "(mail=(%s))", "(objectClass=*)", "(o=%d)"}) {
    INFO(text);
    CHECK(is_fault(text));
  }
  for (const auto* text : {"(mail=%s)", "(&(objectClass=person)(|(mail=%s)(proxyAddresses=smtp:%s)))",
                           "(mail=*%s*)", "(cn:caseExactMatch:=%u)", "(&(!(disabled=TRUE))(uid=%u)(n>=3))"}) {
    INFO(text);
    CHECK_FALSE(is_fault(text));
  }
  CHECK(is_fault(std::string(40, '!') + "(mail=%s)"));
  std::string deep{"(mail=%s)"};
  for (int i = 0; i < 100; ++i)
    deep = "(!" + deep + ")";
  CHECK(is_fault(deep));
}

TEST_CASE("a server's URL says whether it is TLS and whether it is this machine") {
  CHECK(server_url_from("ldap://ldap.example.test")->tls == false);
  CHECK(server_url_from("ldaps://ldap.example.test:6636/")->tls);
  CHECK(server_url_from("ldap://127.0.0.1:389")->loopback);
  CHECK(server_url_from("ldap://[::1]")->loopback);
  CHECK_FALSE(server_url_from("ldap://192.0.2.1")->loopback);
  CHECK(server_url_from("ldap://ldap.example.test")->port == "389");
  CHECK(server_url_from("ldaps://[2001:db8::1]")->host == "2001:db8::1");
  CHECK(server_url_from("ldaps://[2001:db8::1]")->port == "636");
  for (const auto* text : {"", "ldap.example.test", "http://x", "ldap://", "ldap://u@x", "ldap://x/dc=test",
                           "ldap://x:0", "ldap://x?mail", "ldapi:///"}) {
    INFO(text);
    CHECK_FALSE(server_url_from(text).has_value());
  }
}
