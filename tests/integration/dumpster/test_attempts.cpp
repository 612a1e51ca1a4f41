#include "store_fixture.hpp"

using namespace dumpster;
using namespace dumpster::testing;
using Kind = RecipientOutcome::Kind;

TEST_CASE_METHOD(StoreFixture, "a deferred recipient stays with its next attempt and the reply") {
  const auto message = accept();
  auto deferred = outcome(message, {0}, Kind::deferred);
  deferred.recipients.front().reply = "450 later";
  const auto recorded = record(deferred);
  REQUIRE(recorded.left);
  CHECK(recorded.left->attempts == 1);
  const auto& entry = recorded.left->entries.front();
  CHECK(entry.attempts == 1);
  CHECK(entry.next_attempt == clock().now() + 60s);
  CHECK(entry.last_reply == "450 later");
  CHECK_FALSE(entry.in_doubt);
  CHECK(spooled(message.key) == recorded.left);
  CHECK(lines().empty());
}

TEST_CASE_METHOD(StoreFixture, "marking as being tried is durable and ends with the outcome") {
  const auto message = accept({"alice@example.test", "bob@example.test"});
  wait_value<Done>([&](auto done) { store().mark_trying(message.key, {1}, std::move(done)); });
  reopen(false);
  auto found = spooled(message.key);
  REQUIRE(found);
  CHECK_FALSE(found->entries[0].trying);
  CHECK(found->entries[1].trying);
  record(outcome(message, {1}, Kind::deferred));
  CHECK_FALSE(spooled(message.key)->entries[1].trying);
  const auto unknown =
      wait_for<Done>([&](auto done) { store().mark_trying(new_uuid(clock().now()), {0}, done); });
  CHECK(unknown.error().fault == Fault::not_found);
}

TEST_CASE_METHOD(StoreFixture, "an attempt in doubt stands in the dumpster and in the spool") {
  const auto message = accept({"alice@example.test", "bob@example.test"});
  put_in_doubt(message);
  const auto line = only_line();
  CHECK(line.state == DeliveryState::in_doubt);
  CHECK_FALSE(line.ever_delivered);
  CHECK(line.recipients.size() == 2);
  CHECK(group().in_doubt == 2);
  const auto found = spooled(message.key);
  REQUIRE(found);
  for (const auto& entry : found->entries) {
    CHECK(entry.in_doubt);
    CHECK(entry.group == sg1);
    CHECK(entry.line == line.delivered_at);
    CHECK(entry.in_doubt_since == clock().now());
    CHECK_FALSE(entry.ever_delivered);
  }
  CHECK(found->entries[0].mailbox == "mailbox-of-alice@example.test");

  SECTION("a deferral leaves it in doubt") {
    clock().advance(1min);
    record(outcome(message, {0, 1}, Kind::deferred, sg1, 2));
    CHECK(only_line() == line);
    CHECK(spooled(message.key)->entries[0].in_doubt);
    CHECK(spooled(message.key)->entries[0].in_doubt_since == clock().now() - 1min);
  }
  SECTION("delivered at last, it has moved") {
    record(outcome(message, {0}, Kind::delivered, sg1, 2));
    const auto all = lines();
    REQUIRE(all.size() == 2);
    CHECK(all[0].state == DeliveryState::in_doubt);
    CHECK(all[0].recipients.size() == 1);
    CHECK(all[0].recipients.front().index == 1);
    CHECK(all[1].state == DeliveryState::delivered);
    CHECK(all[1].attempt == 2);
    CHECK(group().in_doubt == 1);
    record(outcome(message, {1}, Kind::delivered, sg1, 3));
    CHECK(lines().size() == 2);
    CHECK(group().in_doubt == 0);
  }
  SECTION("in doubt again, it has moved") {
    clock().advance(1min);
    put_in_doubt(message, sg1, 2);
    CHECK(only_line().attempt == 2);
    CHECK(only_line().delivered_at == clock().now());
    CHECK(group().in_doubt == 2);
  }
  SECTION("refused, it was never delivered and bounces") {
    record(outcome(message, {0, 1}, Kind::refused, sg1, 2));
    CHECK(lines().empty());
    CHECK(group().in_doubt == 0);
    CHECK(body(message.key).error().fault == Fault::not_found);
  }
  SECTION("it goes to another group when the directory has changed") {
    record(outcome(message, {0, 1}, Kind::delivered, sg2, 2));
    CHECK(lines(sg1).empty());
    CHECK(group(sg1).in_doubt == 0);
    CHECK(lines(sg2).size() == 1);
  }
  SECTION("a restart keeps it") {
    reopen(false);
    CHECK(spooled(message.key) == found);
    CHECK(only_line() == line);
    CHECK(group().in_doubt == 2);
  }
}

TEST_CASE_METHOD(StoreFixture, "what a node of an older term took is in doubt, not delivered") {
  const auto message = accept();
  activate("node2", 1);
  const auto recorded = record(outcome(message, {0}, Kind::delivered));
  CHECK(recorded.superseded);
  REQUIRE(recorded.left);
  CHECK(recorded.left->entries.front().in_doubt);
  const auto line = only_line();
  CHECK(line.state == DeliveryState::in_doubt);
  CHECK(line.node == "node1");
  CHECK(line.term == 0);
}

TEST_CASE_METHOD(StoreFixture,
                 "an outcome for a group that is not configured is refused and changes nothing") {
  const auto message = accept();
  const auto refused = wait_for<AttemptRecorded>([&](auto done) {
    store().record(outcome(message, {0}, Kind::delivered, StorageGroup{"ccr1", "other"}), std::move(done));
  });
  REQUIRE(refused.has_error());
  CHECK(refused.error().fault == Fault::not_found);
  CHECK(spooled(message.key));
}

TEST_CASE_METHOD(StoreFixture, "only an attempt for a storage group can fall in doubt") {
  const auto message = accept();
  const auto refused = wait_for<AttemptRecorded>([&](auto done) {
    store().record(outcome(message, {0}, Kind::in_doubt, std::nullopt), std::move(done));
  });
  CHECK(refused.error().fault == Fault::invalid);
}

TEST_CASE_METHOD(StoreFixture, "recipients that have left the spool are passed over") {
  const auto message = accept();
  deliver(message);
  const auto before = lines();
  deliver(message);
  record(outcome(message, {0}, Kind::refused));
  CHECK(lines() == before);
}

TEST_CASE_METHOD(StoreFixture, "changes that share a write see each other") {
  std::vector<Message> messages;
  for (int i = 0; i < 200; ++i) {
    auto made = new_message({"alice@example.test", "bob@example.test"}, 100);
    messages.push_back(made.message);
    store().accept(made, [](const Result<Done>&) {});
    store().record(outcome(made.message, {0}, Kind::in_doubt), [](const Result<AttemptRecorded>&) {});
    store().record(outcome(made.message, {1}, Kind::delivered, sg2, 2),
                   [](const Result<AttemptRecorded>&) {});
    store().record(outcome(made.message, {0}, Kind::delivered, sg1, 3),
                   [](const Result<AttemptRecorded>&) {});
  }
  snapshot();
  CHECK(group(sg1).messages == 200);
  CHECK(group(sg1).in_doubt == 0);
  CHECK(group(sg2).messages == 200);
  CHECK(store().spool_totals().messages == 0);
  CHECK(body(messages.back().key).value() == body_of(messages.back()));
}
