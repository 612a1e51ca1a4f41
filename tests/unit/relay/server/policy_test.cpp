#include "relay/server/policy.hpp"

#include <catch2/catch.hpp>

using namespace std::chrono_literals;
using dumpster::StorageGroup;
using relay::decide_recipient;
using relay::expand_recipients;
using relay::longest_pause;
using relay::LookupFault;
using relay::Resolved;

namespace {

const StorageGroup sg1{"ccr1", "sg1"};

Resolved mailbox(const std::string& address, const std::string& name, const std::string& detail = {}) {
  return {address, name, detail, sg1};
}

dumpster::Recipient given(const std::string& address) {
  dumpster::Recipient recipient;
  recipient.address = address;
  return recipient;
}

}  // namespace

TEST_CASE("a recipient that the directory knows is taken from anyone") {
  CHECK(decide_recipient(std::vector<Resolved>{mailbox("a@x", "a@x")}, false, false).reply.code == 250);
}

TEST_CASE("an unknown recipient is 550 5.1.1, unless the client is trusted and there is a smarthost") {
  for (const auto& [trusted, smarthost, code] :
       {std::tuple{false, false, 550}, {true, false, 550}, {false, true, 550}, {true, true, 250}}) {
    const auto decision = decide_recipient(LookupFault::unknown, trusted, smarthost);
    CHECK(decision.reply.code == code);
    if (code == 550) CHECK(decision.reply.enhanced == "5.1.1");
  }
}

TEST_CASE("a directory that cannot say now is 4xx, never 5xx") {
  CHECK(decide_recipient(LookupFault::unavailable, true, true).reply.code == 451);
}

TEST_CASE("aliases are expanded, and each keeps what the client said") {
  const auto recipients =
      expand_recipients({given("team@x")}, {{mailbox("a@x", "a@x"), mailbox("b@x", "b@x")}});
  REQUIRE(recipients.size() == 2);
  CHECK(recipients[0].address == "a@x");
  CHECK(recipients[1].address == "b@x");
  CHECK(recipients[1].original_address == "team@x");
}

TEST_CASE("recipients that end at the same mailbox and detail are one recipient") {
  const auto recipients = expand_recipients(
      {given("a@x"), given("alias@x"), given("a+box@x")},
      {{mailbox("a@x", "a@x")}, {mailbox("a@x", "a@x")}, {mailbox("a+box@x", "a@x", "box")}});
  REQUIRE(recipients.size() == 2);
  CHECK(recipients[0].address == "a@x");
  CHECK(recipients[1].address == "a+box@x");
}

TEST_CASE("recipients for the smarthost go as addressed") {
  const auto recipients = expand_recipients({given("c@elsewhere"), given("c@elsewhere")}, {{}, {}});
  REQUIRE(recipients.size() == 1);
  CHECK(recipients[0].address == "c@elsewhere");
}

TEST_CASE("a message is kept waiting as long as the slowest of its destinations asks for") {
  const relay::NextHop archive{relay::NextHop::Protocol::smtp, "archive", 25, {}};
  const relay::NextHop smart{relay::NextHop::Protocol::smtp, "smart", 25, {}};
  relay::Slowdowns slowdowns;
  slowdowns.add(relay::ClusterDestination{"ccr1"}, 30'000);
  slowdowns.add(archive, 40'000);
  slowdowns.add(smart, 60'000);
  const Resolved retained = mailbox("a@x", "a@x");
  const Resolved elsewhere{"b@y", "b@y", "", archive};
  const Resolved quick{"c@z", "c@z", "", StorageGroup{"ccr2", "sg1"}};
  CHECK(longest_pause(slowdowns, {{quick}}, smart) == 0ms);
  CHECK(longest_pause(slowdowns, {{quick}, {retained}}, smart) == 500ms);
  CHECK(longest_pause(slowdowns, {{quick, elsewhere}, {retained}}, smart) == 1s);
  CHECK(longest_pause(slowdowns, {{quick}, {}}, smart) == 2s);
  CHECK(longest_pause({}, {{retained}, {}}, smart) == 0ms);
}
