#include <catch2/catch.hpp>

#include "tests/unit/relay/directory/directory_of.hpp"

using dumpster::StorageGroup;
using relay::directory_of;
using relay::Lookup;
using relay::LookupFault;
using relay::NextHop;
using relay::Resolved;

namespace {

const StorageGroup sg1{"ccr1", "sg1"};
const StorageGroup sg2{"ccr1", "sg2"};

std::vector<Resolved> all(const std::optional<Lookup>& lookup) {
  REQUIRE(lookup.has_value());
  REQUIRE(std::holds_alternative<std::vector<Resolved>>(*lookup));
  return std::get<std::vector<Resolved>>(*lookup);
}

Resolved one(const std::optional<Lookup>& lookup) {
  const auto found = all(lookup);
  REQUIRE(found.size() == 1);
  return found.front();
}

bool is(const std::optional<Lookup>& lookup, LookupFault fault) {
  REQUIRE(lookup.has_value());
  const auto* found = std::get_if<LookupFault>(&*lookup);
  return found != nullptr && *found == fault;
}

StorageGroup group_of(const Resolved& resolved) {
  REQUIRE(std::holds_alternative<StorageGroup>(resolved.route));
  return std::get<StorageGroup>(resolved.route);
}

}  // namespace

TEST_CASE("an address is found whatever the case, and keeps the case it was given") {
  const auto directory = directory_of("Alice@Example.test ccr1/sg1\n").value();
  const auto found = one(directory->find("aLICE@eXAMPLE.test"));
  CHECK(found.address == "aLICE@eXAMPLE.test");
  CHECK(found.mailbox == "alice@example.test");
  CHECK(found.detail.empty());
  CHECK(group_of(found) == sg1);
}

TEST_CASE("an unknown address is unknown") {
  const auto directory = directory_of("alice@example.test ccr1/sg1\n").value();
  for (const char* address :
       {"bob@example.test", "alice@example.tes", "alice@sub.example.test", "alice", "", "@", "alice@",
        "@example.test", "alice@example.test@example.test", "a b@example.test", "alice@example.test "}) {
    CAPTURE(address);
    CHECK(is(directory->find(address), LookupFault::unknown));
  }
}

TEST_CASE("the third column is the mailbox's name") {
  const auto directory = directory_of("bob@example.test ccr1/sg2 Bob # his old name\n").value();
  CHECK(one(directory->find("bob@example.test")).mailbox == "Bob");
  CHECK(one(directory->find("bob+x@example.test")).mailbox == "Bob");
}

TEST_CASE("the full address comes first, then the one without detail, then the domain") {
  const auto directory = directory_of(
                             "alice+work@example.test ccr1/sg2\n"
                             "alice@example.test ccr1/sg1\n"
                             "@example.test lmtp://127.0.0.1:2700\n")
                             .value();
  const auto full = one(directory->find("alice+work@example.test"));
  CHECK(group_of(full) == sg2);
  CHECK(full.mailbox == "alice@example.test");
  CHECK(full.detail == "work");
  const auto base = one(directory->find("alice+News+a@example.test"));
  CHECK(group_of(base) == sg1);
  CHECK(base.address == "alice+News+a@example.test");
  CHECK(base.detail == "News+a");
  const auto domain = one(directory->find("Carol+x@example.test"));
  CHECK(std::get<NextHop>(domain.route).port == 2700);
  CHECK(domain.mailbox == "carol@example.test");
  CHECK(domain.address == "Carol+x@example.test");
}

TEST_CASE("a local part that begins with a plus has no detail") {
  const auto directory = directory_of("+x@example.test ccr1/sg1\n").value();
  const auto found = one(directory->find("+x@example.test"));
  CHECK(found.mailbox == "+x@example.test");
  CHECK(found.detail.empty());
}

TEST_CASE("needless quotes do not make another address") {
  const auto directory =
      directory_of("alice@example.test ccr1/sg1\n\"john doe\"@example.test ccr1/sg1\n").value();
  CHECK(one(directory->find("\"Alice\"@example.test")).mailbox == "alice@example.test");
  CHECK(one(directory->find("\"al\\ice+x\"@example.test")).detail == "x");
  CHECK(one(directory->find("\"John Doe\"@example.test")).mailbox == "\"john doe\"@example.test");
}

TEST_CASE("under a domain line no address form that relays is matched") {
  const auto directory = directory_of("@lists.example.test lmtp://127.0.0.1:2700\n").value();
  for (const char* plain : {"a@lists.example.test", "a.b@lists.example.test", "\"a b\"@lists.example.test",
                            "a#b@LISTS.example.test"}) {
    CAPTURE(plain);
    CHECK(one(directory->find(plain)).address == plain);
  }
  for (const char* relaying :
       {"a%evil.test@lists.example.test", "evil.test!a@lists.example.test", "a@evil.test@lists.example.test",
        "\"a@evil.test\"@lists.example.test", "\"a%evil.test\"@lists.example.test",
        "\"a\\%b\"@lists.example.test", "\"evil!a\"@lists.example.test", "@evil.test:a@lists.example.test",
        "@a,@b:c@lists.example.test", "\"@evil.test:a\"@lists.example.test", "\"\"@lists.example.test",
        "a.@lists.example.test", "a@[lists.example.test]", "\"a\"b@lists.example.test"}) {
    CAPTURE(relaying);
    CHECK(is(directory->find(relaying), LookupFault::unknown));
  }
}

TEST_CASE("an alias leads to its target, whose detail stays and which takes over the asked one") {
  const auto directory = directory_of(
                             "alice@example.test ccr1/sg1\n"
                             "postmaster@example.test =Alice@example.test\n"
                             "news@example.test =alice+news@example.test\n")
                             .value();
  CHECK(one(directory->find("postmaster@example.test")).address == "Alice@example.test");
  const auto carried = one(directory->find("postmaster+Hub@example.test"));
  CHECK(carried.address == "Alice+Hub@example.test");
  CHECK(carried.mailbox == "alice@example.test");
  CHECK(carried.detail == "Hub");
  CHECK(one(directory->find("news+more@example.test")).address == "alice+news@example.test");
}

TEST_CASE("an alias of a whole domain drops local part and detail") {
  const auto directory = directory_of("alice@example.test ccr1/sg1\n@old.test =alice@example.test\n").value();
  CHECK(one(directory->find("whoever+x@old.test")).address == "alice@example.test");
}

TEST_CASE("each target of an alias is given once by route, mailbox and detail") {
  const auto directory =
      directory_of(
          "alice@example.test ccr1/sg1\n"
          "al@example.test ccr1/sg1 alice@example.test\n"
          "bob@example.test ccr1/sg2\n"
          "staff@example.test =alice@example.test,bob@example.test\n"
          "all@example.test =staff@example.test,al@example.test,ALICE@example.test,alice+x@example.test\n")
          .value();
  const auto found = all(directory->find("all@example.test"));
  REQUIRE(found.size() == 3);
  CHECK(found[0].address == "alice@example.test");
  CHECK(found[1].address == "bob@example.test");
  CHECK(found[2].address == "alice+x@example.test");
}

TEST_CASE("aliases that point at each other are a loop") {
  const auto directory = directory_of(
                             "a@example.test =b@example.test\n"
                             "b@example.test =a@example.test\n"
                             "self@example.test =self@example.test\n"
                             "grow@example.test =grow+x@example.test\n")
                             .value();
  CHECK(is(directory->find("a@example.test"), LookupFault::loop));
  CHECK(is(directory->find("self@example.test"), LookupFault::loop));
  CHECK(is(directory->find("grow@example.test"), LookupFault::loop));
}

TEST_CASE("aliases that lead too deep or to too many are a loop") {
  std::string deep = "end@example.test ccr1/sg1\n";
  for (int i = 0; i < 20; ++i) {
    deep += "a" + std::to_string(i) + "@example.test =" + (i == 0 ? "end" : "a" + std::to_string(i - 1)) +
            "@example.test\n";
  }
  const auto chain = directory_of(deep).value();
  CHECK(one(chain->find("a15@example.test")).address == "end@example.test");
  CHECK(is(chain->find("a16@example.test"), LookupFault::loop));

  // Each doubles the one before: 2^12 expansions.
  std::string wide = "end@example.test ccr1/sg1\n";
  for (int i = 0; i < 12; ++i) {
    const auto target = i == 0 ? std::string{"end"} : "w" + std::to_string(i - 1);
    wide +=
        "w" + std::to_string(i) + "@example.test =" + target + "@example.test," + target + "@example.test\n";
  }
  const auto bomb = directory_of(wide).value();
  CHECK(all(bomb->find("w3@example.test")).size() == 1);
  CHECK(is(bomb->find("w11@example.test"), LookupFault::loop));
}

TEST_CASE("an alias with a target that nobody knows is unknown as a whole") {
  const auto directory =
      directory_of("alice@example.test ccr1/sg1\nboth@example.test =alice@example.test,gone@example.test\n")
          .value();
  CHECK(is(directory->find("both@example.test"), LookupFault::unknown));
}

TEST_CASE("postmaster without a domain is the postmaster line, the hub's or its domain's") {
  const auto line = directory_of("postmaster ccr1/sg1\npostmaster@hub1.example.test ccr1/sg2\n").value();
  CHECK(group_of(one(line->find("PostMaster"))) == sg1);
  CHECK(one(line->find("postmaster")).address == "postmaster");
  const auto hub = directory_of("postmaster@hub1.example.test ccr1/sg2\n").value();
  CHECK(one(hub->find("Postmaster")).address == "Postmaster@hub1.example.test");
  CHECK(one(hub->find("Postmaster")).mailbox == "postmaster@hub1.example.test");
  const auto domain =
      directory_of("alice@example.test ccr1/sg1\npostmaster@example.test =alice@example.test\n").value();
  CHECK(one(domain->find("postmaster")).address == "alice@example.test");
  const auto top = directory_of("@test ccr1/sg1\n").value();
  CHECK(is(top->find("postmaster"), LookupFault::unknown));
}
