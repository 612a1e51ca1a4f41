#include "relay/smtp/address.hpp"

#include <catch2/catch.hpp>
#include <string>

namespace relay::smtp {
namespace {

/// The address of a path that is read to its end, or "refused".
std::string forward(const std::string& text) {
  const auto path = parse_forward_path(text);
  return path && path->rest.empty() ? path->address : "refused";
}

std::string reverse(const std::string& text) {
  const auto path = parse_reverse_path(text);
  return path && path->rest.empty() ? path->address : "refused";
}

}  // namespace

TEST_CASE("a path is a mailbox in angle brackets, kept as it was written") {
  CHECK(forward("<Bob@Example.TEST>") == "Bob@Example.TEST");
  CHECK(forward("<a.b+c/d=e!f%g@example.test>") == "a.b+c/d=e!f%g@example.test");
  CHECK(forward("<a@localhost>") == "a@localhost");
  CHECK(forward("<a@1.example>") == "a@1.example");
  for (const std::string text :
       {"",          "a@b",       "<a@b",     "a@b>",    "<a>",        "<@b>",       "<a@>",     "<a b@c>",
        "<a@b c>",   "< a@b>",    "<a@b >",   "<a@b@c>", "<.a@b>",     "<a.@b>",     "<a..b@c>", "<a@b.>",
        "<a@.b>",    "<a@b..c>",  "<a@-b>",   "<a@b->",  "<a@b_c>",    "<a,b@c>",    "<a@b>>",   "<<a@b>>",
        "<a@b\x7f>", "<a\x01@b>", "<a(c)@b>", "<\"a@b>", "<a\"b\"@c>", "<\"a\"b@c>", "<a:b@c>",  "<a;b@c>"}) {
    INFO(text);
    CHECK(forward(text) == "refused");
  }
}

TEST_CASE(
    "a local part may be a quoted string, in which brackets, blanks and at signs stand for themselves") {
  CHECK(forward(R"(<"a b"@example.test>)") == R"("a b"@example.test)");
  CHECK(forward(R"(<"a>b@c"@example.test>)") == R"("a>b@c"@example.test)");
  CHECK(forward(R"(<"a\"b\\"@example.test>)") == R"("a\"b\\"@example.test)");
  CHECK(forward(R"(<""@example.test>)") == R"(""@example.test)");
  CHECK(forward("<\"a\tb\"@example.test>") == "refused");
  CHECK(forward("<\"a\\\x01\"@example.test>") == "refused");
  CHECK(forward("<\"a\\\">@example.test>") == "refused");
}

TEST_CASE("a domain may be an address literal of IPv4 or IPv6") {
  CHECK(forward("<a@[192.0.2.1]>") == "a@[192.0.2.1]");
  CHECK(forward("<a@[IPv6:2001:db8::1]>") == "a@[IPv6:2001:db8::1]");
  CHECK(forward("<a@[ipv6:::1]>") == "a@[ipv6:::1]");
  for (const std::string text :
       {"<a@[]>", "<a@[192.0.2]>", "<a@[192.0.2.256]>", "<a@[2001:db8::1]>", "<a@[IPv6:]>",
        "<a@[IPv6:192.0.2.1]>", "<a@[tag:content]>", "<a@[192.0.2.1>", "<a@[192.0.2.1]b>"}) {
    INFO(text);
    CHECK(forward(text) == "refused");
  }
}

TEST_CASE("a source route is checked and dropped") {
  CHECK(forward("<@relay.test:a@example.test>") == "a@example.test");
  CHECK(forward("<@relay.test,@[192.0.2.1]:a@example.test>") == "a@example.test");
  CHECK(reverse("<@relay.test:a@example.test>") == "a@example.test");
  for (const std::string text :
       {"<@relay.test>", "<@:a@b>", "<@relay.test,:a@b>", "<@relay.test,relay2.test:a@b>", "<relay.test:a@b>",
        "<@relay.test:>", "<@re lay:a@b>", "<@relay.test::a@b>", "<@relay.test,@b>"}) {
    INFO(text);
    CHECK(forward(text) == "refused");
    CHECK(reverse(text) == "refused");
  }
}

TEST_CASE("the null path is a sender and no recipient; postmaster alone is a recipient and no sender") {
  CHECK(reverse("<>").empty());
  CHECK(forward("<>") == "refused");
  CHECK(forward("<PostMaster>") == "PostMaster");
  CHECK(reverse("<postmaster>") == "refused");
  CHECK(reverse("<@relay.test:>") == "refused");
}

TEST_CASE("local parts end at 64 octets, labels at 63, domains at 255, paths at 256") {
  const std::string local(64, 'a');
  const std::string label(63, 'b');
  CHECK(forward('<' + local + "@b>") == local + "@b");
  CHECK(forward("<a" + local + "@b>") == "refused");
  CHECK(forward("<a@" + label + ".test>") == "a@" + label + ".test");
  CHECK(forward("<a@b" + label + ".test>") == "refused");
  const auto domain = label + '.' + label + '.' + label + '.' + std::string(60, 'c');  // 252
  CHECK(forward("<a@" + domain + '>') == "a@" + domain);
  CHECK(forward("<aa@" + domain + '>') == "refused");
  CHECK(is_domain(domain + ".cc"));
  CHECK_FALSE(is_domain(domain + ".ccc"));
  CHECK(forward("<@" + domain + ":a@b>") == "a@b");
}

TEST_CASE("UTF-8 is let through in local part and domain, other 8-bit text is not") {
  CHECK(forward("<\xC3\xBC@ex\xC3\xA4mple.test>") == "\xC3\xBC@ex\xC3\xA4mple.test");
  CHECK(forward("<\"\xC3\xBC x\"@example.test>") == "\"\xC3\xBC x\"@example.test");
  for (const std::string text :
       {"<\xFC@b>", "<a@b\xE4>", "<\xC0\xAF@b>", "<\xED\xA0\x80@b>", "<\xC3@b>", "<\xF5\x80\x80\x80@b>"}) {
    INFO(text);
    CHECK(forward(text) == "refused");
  }
}

TEST_CASE("what follows the path is left for the parameters") {
  CHECK(parse_reverse_path("<a@b> SIZE=1")->rest == " SIZE=1");
  CHECK(parse_reverse_path("<>SIZE=1")->rest == "SIZE=1");
}

TEST_CASE("a client's name is a domain, with underscores, or an address literal") {
  for (const std::string name :
       {"host", "host.example", "my_host.example", "[192.0.2.1]", "[IPv6:::1]", "192.0.2.1"}) {
    INFO(name);
    CHECK(is_client_name(name));
  }
  for (const std::string name : {"", "a b", "a..b", "-a", "[a]", "a\tb", "a;b", "(a)", "\xC3\xBC.example"}) {
    INFO(name);
    CHECK_FALSE(is_client_name(name));
  }
}

}  // namespace relay::smtp
