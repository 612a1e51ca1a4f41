#include <catch2/catch.hpp>

#include "relay/directory/ldap/cache.hpp"
#include "relay/directory/ldap/entry.hpp"

using namespace std::chrono_literals;
using dumpster::StorageGroup;
using relay::NextHop;
using relay::ldap::AttributeValues;
using relay::ldap::Cache;
using relay::ldap::EntryFault;
using relay::ldap::KnownEntry;

namespace {

relay::ldap::Settings settings() {
  relay::ldap::Settings made;
  made.attributes = {"mail", "storageGroup", "route", "mailbox", "forward"};
  made.storage_groups = {{"ccr1", "sg1"}, {"ccr1", "sg2"}};
  return made;
}

std::variant<KnownEntry, EntryFault> made_of(std::string_view key, const AttributeValues& values,
                                             const relay::ldap::Settings& given = settings()) {
  return relay::ldap::entry_from(key, values, given);
}

KnownEntry entry(std::string_view key, const AttributeValues& values,
                 const relay::ldap::Settings& given = settings()) {
  auto made = made_of(key, values, given);
  REQUIRE(std::holds_alternative<KnownEntry>(made));
  return std::get<KnownEntry>(made);
}

bool is_fault(std::string_view key, const AttributeValues& values) {
  return std::holds_alternative<EntryFault>(made_of(key, values));
}

}  // namespace

TEST_CASE("an entry says its storage group or its next hop, and the mailbox's name") {
  const auto alice = entry("alice@x.test", {{"mail", {"Alice@x.test"}}, {"storagegroup", {"ccr1/sg2"}}});
  CHECK(std::get<StorageGroup>(*alice.route) == StorageGroup{"ccr1", "sg2"});
  CHECK(alice.mailbox.empty());
  const auto bob = entry("bob@x.test", {{"route", {"lmtp://192.0.2.1:24"}}, {"mailbox", {"Bob"}}});
  CHECK(std::get<NextHop>(*bob.route).host == "192.0.2.1");
  CHECK(bob.mailbox == "Bob");
}

TEST_CASE("an entry found by another of its addresses is an alias for its own") {
  const auto found = entry("a@x.test", {{"mail", {"alice@x.test"}}, {"storagegroup", {"ccr1/sg1"}}});
  CHECK_FALSE(found.route.has_value());
  CHECK(found.targets == "alice@x.test");
  const auto several =
      entry("c@x.test", {{"mail", {"b@x.test", "a@x.test"}}, {"storagegroup", {"ccr1/sg1"}}});
  CHECK(several.targets == "a@x.test");
  const auto domain = entry("@x.test", {{"mail", {"alice@x.test"}}, {"storagegroup", {"ccr1/sg1"}}});
  CHECK(domain.targets == "alice@x.test");
}

TEST_CASE("values of the alias attribute make an alias, whatever the entry's own address") {
  const auto team = entry("team@x.test", {{"forward", {"a@x.test", "\"b,c\"@x.test"}}});
  CHECK(team.targets == "a@x.test,\"b,c\"@x.test");
  CHECK(entry("staff@x.test", {{"mail", {"team@x.test"}}, {"forward", {"a@x.test"}}}).targets == "a@x.test");
}

TEST_CASE("an entry that names no way goes to the default storage group, if there is one") {
  CHECK(is_fault("a@x.test", {{"mail", {"a@x.test"}}}));
  auto given = settings();
  given.default_storage_group = StorageGroup{"ccr1", "sg1"};
  CHECK(std::get<StorageGroup>(*entry("a@x.test", {}, given).route) == StorageGroup{"ccr1", "sg1"});
}

TEST_CASE("an entry that cannot be meant is a fault, never a guess") {
  CHECK(is_fault("a@x.test", {{"storagegroup", {"ccr1/sg9"}}}));
  CHECK(is_fault("a@x.test", {{"storagegroup", {"ccr1"}}}));
  CHECK(is_fault("a@x.test", {{"storagegroup", {"ccr1/sg1", "ccr1/sg2"}}}));
  CHECK(is_fault("a@x.test", {{"storagegroup", {"ccr1/sg1"}}, {"route", {"lmtp://h:24"}}}));
  CHECK(is_fault("a@x.test", {{"storagegroup", {"ccr1/sg1"}}, {"forward", {"b@x.test"}}}));
  CHECK(is_fault("a@x.test", {{"storagegroup", {"ccr1/sg1"}}, {"mailbox", {"a", "b"}}}));
  CHECK(is_fault("a@x.test", {{"storagegroup", {"ccr1/sg1"}}, {"mailbox", {"a\nb"}}}));
  CHECK(is_fault("@x.test", {{"storagegroup", {"ccr1/sg1"}}, {"mailbox", {"a"}}}));
  CHECK(is_fault("a@x.test", {{"route", {"http://h"}}}));
  CHECK(is_fault("a@x.test", {{"forward", {"no address"}}}));
  CHECK(is_fault("a@x.test", {{"mail", {"no address"}}, {"storagegroup", {"ccr1/sg1"}}}));
}

TEST_CASE("what was found out is known for its time, what is not there included") {
  Cache cache{10};
  const Cache::Time now{1000s};
  CHECK_FALSE(cache.find("a", now).has_value());
  cache.put("a", std::make_shared<const KnownEntry>(), now + 60s);
  cache.put("b", nullptr, now + 10s);
  CHECK(*cache.find("a", now + 59s) != nullptr);
  CHECK(*cache.find("b", now + 9s) == nullptr);
  CHECK_FALSE(cache.find("b", now + 10s).has_value());
  CHECK_FALSE(cache.find("a", now + 60s).has_value());
  CHECK(cache.size() == 0);
  cache.put("a", nullptr, now + 1s);
  cache.put("a", std::make_shared<const KnownEntry>(), now + 5s);
  CHECK(*cache.find("a", now + 2s) != nullptr);
  cache.clear();
  CHECK_FALSE(cache.find("a", now).has_value());
}

TEST_CASE("the cache is bounded, and what was asked for lately stays") {
  Cache cache{3};
  const Cache::Time now{1000s};
  for (const auto* key : {"a", "b", "c"})
    cache.put(key, nullptr, now + 60s);
  CHECK(cache.find("a", now).has_value());
  cache.put("d", nullptr, now + 60s);
  CHECK(cache.size() == 3);
  CHECK(cache.find("a", now).has_value());
  CHECK_FALSE(cache.find("b", now).has_value());
  Cache none{0};
  none.put("a", nullptr, now + 60s);
  CHECK(none.size() == 0);
}
