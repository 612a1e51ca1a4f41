#include "tests/integration/dumpster/store_fixture.hpp"

using namespace dumpster;
using namespace dumpster::testing;
using Kind = HistoryEvent::Kind;

namespace {

HistoryFound history(StoreFixture& fixture, const HistoryQuery& query) {
  return wait_value<HistoryFound>([&](auto done) { fixture.store().history(query, std::move(done)); });
}

HistoryQuery by_id(const Uuid& id) {
  HistoryQuery query;
  query.id = id;
  return query;
}

std::vector<Kind> kinds_of(const HistoryFound& found) {
  std::vector<Kind> kinds;
  for (const auto& message : found.messages) {
    for (const auto& event : message.events)
      kinds.push_back(event.kind);
  }
  return kinds;
}

void hold(StoreFixture& fixture, const Uuid& message, bool held) {
  wait_value<Done>([&](auto done) { fixture.store().hold_recipients(message, {0}, held, std::move(done)); });
}

}  // namespace

TEST_CASE("what became of a message is remembered after it is gone and after a crash") {
  StoreFixture fixture;
  const auto message = fixture.accept({"Alice@example.test", "bob@example.test"});
  fixture.record(fixture.outcome(message, {0}, RecipientOutcome::Kind::delivered, std::nullopt));
  auto refused = fixture.outcome(message, {1}, RecipientOutcome::Kind::refused, std::nullopt, 2);
  refused.recipients[0].reply = "550 5.1.1 no";
  refused.where = "smtp://192.0.2.1:25";
  fixture.record(refused);
  REQUIRE_FALSE(fixture.spooled(message.key));
  fixture.reopen(false);
  const auto found = history(fixture, by_id(message.key));
  REQUIRE(kinds_of(found) == std::vector{Kind::accepted, Kind::delivered, Kind::bounced});
  const auto& events = found.messages[0].events;
  CHECK(events[0].addresses == std::vector<std::string>{"Alice@example.test", "bob@example.test"});
  CHECK(events[1].recipients == std::vector<std::uint32_t>{0});
  CHECK_FALSE(events[1].retained);
  CHECK(events[2].reply == "550 5.1.1 no");
  CHECK(events[2].where == "smtp://192.0.2.1:25");
  CHECK(found.since == events[0].at);
}

TEST_CASE("a message is found by its delivery's id, its Message-ID and its recipients") {
  StoreFixture fixture;
  const auto message = fixture.accept({"alice@example.test"});
  const auto other = fixture.accept({"bob@example.test"});
  fixture.deliver(message);
  const auto delivery = fixture.only_line().delivery_id;
  CHECK(history(fixture, by_id(delivery)).messages.at(0).message == message.key);
  HistoryQuery query;
  query.recipient = "ALICE@example.test";
  CHECK(kinds_of(history(fixture, query)) == std::vector{Kind::accepted, Kind::delivered});
  query = {};
  query.message_id = message.message_id;
  const auto found = history(fixture, query);
  CHECK(std::any_of(found.messages.begin(), found.messages.end(),
                    [&](const auto& one) { return one.message == message.key; }));
  CHECK(history(fixture, HistoryQuery{}).messages.empty());
  CHECK(history(fixture, by_id(new_uuid(fixture.clock().now()))).messages.empty());
  CHECK(history(fixture, by_id(other.key)).messages.size() == 1);
}

TEST_CASE("of many that fit the newest are told, and that there are more") {
  StoreFixture fixture;
  std::vector<Uuid> keys;
  for (int i = 0; i < 5; ++i) {
    keys.push_back(fixture.accept({"alice@example.test"}).key);
    fixture.clock().advance(1s);
  }
  HistoryQuery query;
  query.recipient = "alice@example.test";
  query.most = 2;
  const auto found = history(fixture, query);
  REQUIRE(found.messages.size() == 2);
  CHECK(found.more);
  CHECK(found.messages[0].message == keys[3]);
  CHECK(found.messages[1].message == keys[4]);
}

TEST_CASE("a resubmission and an operator's hold and deletion are remembered") {
  StoreFixture fixture;
  const auto message = fixture.accept();
  fixture.deliver(message);
  const auto accepted = fixture.resubmit(fixture.window("k"));
  hold(fixture, message.key, true);
  hold(fixture, message.key, true);
  CHECK(fixture.spooled(message.key)->entries.at(0).held);
  hold(fixture, message.key, false);
  fixture.record(fixture.outcome(message, {0}, RecipientOutcome::Kind::deleted, std::nullopt, 2));
  const auto found = history(fixture, by_id(message.key));
  CHECK(kinds_of(found) == std::vector{Kind::accepted, Kind::delivered, Kind::resubmitted, Kind::held,
                                       Kind::released, Kind::deleted});
  CHECK(found.messages[0].events[1].retained);
  CHECK(found.messages[0].events[2].resubmission == accepted.resubmission.id);
}

TEST_CASE("an operator's hold and a told delay survive a restart and change nothing else") {
  StoreFixture fixture;
  const auto message = fixture.accept({"alice@example.test", "bob@example.test"});
  hold(fixture, message.key, true);
  const auto recorded =
      fixture.record(fixture.outcome(message, {1}, RecipientOutcome::Kind::delayed, std::nullopt, 0));
  REQUIRE(recorded.left);
  fixture.reopen(false);
  const auto spooled = fixture.spooled(message.key);
  REQUIRE(spooled);
  CHECK(spooled->entries.at(0).held);
  CHECK_FALSE(spooled->entries.at(0).delay_told);
  CHECK(spooled->entries.at(1).delay_told);
  CHECK(spooled->entries.at(1).attempts == 0);
}
