#include "relay/directory/alias_expansion.hpp"

#include <catch2/catch.hpp>
#include <map>

using relay::AliasExpansion;
using relay::LookupFault;
using relay::Resolved;

namespace {

class FakeSource : public relay::RecipientSource {
 public:
  relay::EntryAnswer find(std::string_view key) override {
    asked.emplace_back(key);
    const auto found = answers.find(std::string{key});
    return found == answers.end() ? relay::EntryAnswer{relay::NoSuchEntry{}} : found->second;
  }
  std::map<std::string, relay::EntryAnswer> answers;
  std::vector<std::string> asked;
};

const std::string hub{"hub1.example.test"};
const relay::Route group{dumpster::StorageGroup{"ccr1", "sg1"}};

std::optional<relay::Lookup> look_up(FakeSource& source, std::string_view address) {
  return AliasExpansion{source, hub}.run(address);
}

}  // namespace

TEST_CASE("a source is asked for the full address, then without detail, then for the domain") {
  FakeSource source;
  CHECK(std::get<LookupFault>(*look_up(source, "Alice+x@Example.test")) == LookupFault::unknown);
  CHECK(source.asked ==
        std::vector<std::string>{"alice+x@example.test", "alice@example.test", "@example.test"});
}

TEST_CASE("what cannot be said of the address is not looked for under the domain") {
  FakeSource source;
  source.answers["alice@example.test"] = relay::EntryUnavailable{};
  source.answers["@example.test"] = relay::RecipientEntry{"@example.test", {}, {}, &group};
  CHECK(std::get<LookupFault>(*look_up(source, "alice@example.test")) == LookupFault::unavailable);
  CHECK(std::get<LookupFault>(*look_up(source, "alice+x@example.test")) == LookupFault::unavailable);
  source.answers["alice@example.test"] = relay::EntryNotAtHand{};
  CHECK_FALSE(look_up(source, "alice@example.test").has_value());
}

TEST_CASE("an alias with a target of which nothing can be said now is not unknown") {
  FakeSource source;
  source.answers["team@example.test"] =
      relay::RecipientEntry{"team@example.test", "a@example.test,b@example.test", {}, nullptr};
  source.answers["a@example.test"] = relay::RecipientEntry{"a@example.test", {}, {}, &group};
  source.answers["b@example.test"] = relay::EntryUnavailable{};
  CHECK(std::get<LookupFault>(*look_up(source, "team@example.test")) == LookupFault::unavailable);
  source.answers["b@example.test"] = relay::EntryNotAtHand{};
  CHECK_FALSE(look_up(source, "team@example.test").has_value());
  source.answers["b@example.test"] = relay::RecipientEntry{"b@example.test", {}, {}, &group};
  CHECK(std::get<std::vector<Resolved>>(*look_up(source, "team@example.test")).size() == 2);
}

TEST_CASE("a postmaster of whom nothing can be said now is not looked for elsewhere") {
  FakeSource source;
  source.answers["postmaster"] = relay::EntryUnavailable{};
  CHECK(std::get<LookupFault>(*look_up(source, "postmaster")) == LookupFault::unavailable);
  CHECK(source.asked.size() == 1);
}
