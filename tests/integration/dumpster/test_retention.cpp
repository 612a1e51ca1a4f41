#include "store_fixture.hpp"

using namespace dumpster;
using namespace dumpster::testing;
using Kind = RecipientOutcome::Kind;

TEST_CASE_METHOD(StoreFixture, "size evicts the oldest deliveries and moves the coverage") {
  limits().max_size = 1000;
  reopen();
  const auto created = group().covered_from;
  CHECK(created == store().identity().store_created);
  std::vector<Message> messages;
  for (int i = 0; i < 5; ++i) {
    clock().advance(1s);
    messages.push_back(accept({"alice@example.test"}, 300));
    deliver(messages.back());
    if (i < 3) CHECK(group().covered_from == created);
  }
  const auto kept = lines();
  REQUIRE(kept.size() == 3);
  CHECK(kept[0].message == messages[2].key);
  CHECK(kept[2].message == messages[4].key);
  const auto state = group();
  CHECK(state.messages == 3);
  CHECK(state.bytes == 900);
  CHECK(state.oldest == kept[0].delivered_at);
  CHECK(state.newest == kept[2].delivered_at);
  CHECK(state.covered_from > created);
  CHECK(state.covered_from <= kept[0].delivered_at);
  CHECK(state.covered_from == kept[0].delivered_at - 1s + 1us);
  CHECK(body(messages[1].key).error().fault == Fault::not_found);
  reopen();
  CHECK(group().covered_from == state.covered_from);
  CHECK(group().bytes == 900);
}

TEST_CASE_METHOD(StoreFixture, "the newest delivery stays even when it alone exceeds the size") {
  limits().max_size = 1000;
  reopen();
  deliver(accept({"alice@example.test"}, 10));
  const auto large = accept({"alice@example.test"}, 5000);
  deliver(large);
  CHECK(only_line().message == large.key);
  retain();
  CHECK(only_line().message == large.key);
  reopen();
  retain();
  CHECK(only_line().message == large.key);
  const auto next = accept({"alice@example.test"}, 10);
  deliver(next);
  CHECK(only_line().message == next.key);
}

TEST_CASE_METHOD(StoreFixture, "time evicts what is older than max_time and moves the coverage") {
  limits().max_time = 1h;
  reopen();
  deliver(accept());
  const auto first = only_line();
  clock().advance(30min);
  deliver(accept());
  const auto second = lines().back();
  clock().set(first.delivered_at + 1h);
  retain();
  CHECK(lines().size() == 2);
  clock().advance(1us);
  retain();
  CHECK(lines() == std::vector<Delivery>{second});
  CHECK(group().covered_from == first.delivered_at + 1us);
  CHECK(body(first.message).error().fault == Fault::not_found);
  clock().advance(1h);
  retain();
  CHECK(lines().empty());
  CHECK(group().covered_from == second.delivered_at + 1us);
}

TEST_CASE_METHOD(StoreFixture, "more deliveries than one write takes go by time as well") {
  limits().max_time = 1h;
  reopen();
  for (int i = 0; i < 2500; ++i) {
    auto made = new_message({"alice@example.test"}, 10);
    const auto delivered = outcome(made.message, {0}, Kind::delivered);
    store().accept(made, [](const Result<Done>&) {});
    store().record(delivered, [](const Result<AttemptRecorded>&) {});
  }
  snapshot();
  REQUIRE(group().messages == 2500);
  clock().advance(2h);
  store().retain();
  for (int i = 0; i < 20 && group().messages > 0; ++i)
    snapshot();
  CHECK(group().messages == 0);
  CHECK(lines().empty());
}

TEST_CASE_METHOD(StoreFixture, "while retention is off nothing is kept but what is in doubt") {
  limits().max_size = 0;
  reopen();
  const auto message = accept({"alice@example.test", "bob@example.test"});
  record(outcome(message, {0}, Kind::delivered));
  CHECK(lines().empty());
  record(outcome(message, {1}, Kind::in_doubt, sg1, 2));
  CHECK(only_line().state == DeliveryState::in_doubt);
  retain();
  CHECK(lines().size() == 1);
  record(outcome(message, {1}, Kind::delivered, sg1, 3));
  CHECK(lines().empty());
  CHECK(body(message.key).error().fault == Fault::not_found);
  clock().advance(1h);
  CHECK(group().covered_from == clock().now());
}

TEST_CASE_METHOD(StoreFixture, "a dumpster whose retention is switched on again covers from then on") {
  limits().max_time = Duration::zero();
  reopen();
  clock().advance(1h);
  limits().max_time = 24h;
  reopen();
  const auto switched_on = clock().now();
  clock().advance(1h);
  CHECK(group().covered_from == switched_on);
}

TEST_CASE_METHOD(StoreFixture, "switching retention off empties the dumpster") {
  deliver(accept());
  limits().max_size = 0;
  reopen();
  retain();
  CHECK(lines().empty());
}

TEST_CASE_METHOD(StoreFixture, "a group that is removed and added again covers from then on") {
  deliver(accept(), sg2);
  shut();
  auto without = options();
  without.clusters.front().storage_groups.pop_back();
  for (int run = 0; run < 2; ++run) {
    clock().advance(1h);
    auto opened = open_rocksdb_store(without);
    REQUIRE(opened.has_value());
    (*opened)->close();
  }
  clock().advance(1h);
  reopen();
  CHECK(group(sg2).covered_from == clock().now());
  CHECK(lines(sg2).size() == 1);
  CHECK(group(sg1).covered_from == store().identity().store_created);
  reopen();
  CHECK(group(sg2).covered_from == clock().now());
}

TEST_CASE_METHOD(StoreFixture, "a group that is new in the configuration covers from its creation") {
  shut();
  clock().advance(24h);
  auto with_another = options();
  with_another.clusters.front().storage_groups.push_back({"sg3", {}});
  auto opened = open_rocksdb_store(with_another);
  REQUIRE(opened.has_value());
  const auto state = wait_value<StorageGroupState>([&](auto done) {
    (*opened)->storage_group_state({"ccr1", "sg3"}, std::move(done));
  });
  CHECK(state.covered_from == clock().now());
  const auto old =
      wait_value<StorageGroupState>([&](auto done) { (*opened)->storage_group_state(sg1, std::move(done)); });
  CHECK(old.covered_from == (*opened)->identity().store_created);
}

TEST_CASE_METHOD(StoreFixture,
                 "what is in doubt or being resubmitted is not evicted, and what follows it is") {
  limits().max_size = 1000;
  reopen();
  const auto doubtful = accept({"alice@example.test"}, 400);
  put_in_doubt(doubtful);
  const auto again = accept({"alice@example.test"}, 400);
  deliver(again);
  resubmit(items("again", {{delivery_id_of(again.key, "ccr1", "sg1"), std::nullopt, {}, {}}}));
  const auto third = accept({"alice@example.test"}, 400);
  deliver(third);
  const auto fourth = accept({"alice@example.test"}, 400);
  deliver(fourth);
  auto kept = lines();
  REQUIRE(kept.size() == 3);
  CHECK(kept[0].message == doubtful.key);
  CHECK(kept[1].message == again.key);
  CHECK(kept[2].message == fourth.key);
  SECTION("what was refused for good may go") {
    record(outcome(again, {0}, Kind::refused, sg1, 2));
    CHECK(lines()[1].state == DeliveryState::failed);
    const auto fifth = accept({"alice@example.test"}, 400);
    deliver(fifth);
    kept = lines();
    REQUIRE(kept.size() == 2);
    CHECK(kept[0].message == doubtful.key);
    CHECK(kept[1].message == fifth.key);
  }
}

TEST_CASE_METHOD(StoreFixture, "from an activation until the report nothing of an older term is evicted") {
  limits().max_size = 1000;
  reopen();
  for (int i = 0; i < 3; ++i)
    deliver(accept({"alice@example.test"}, 300));
  activate("node2", 1);
  node = "node2";
  term = 1;
  for (int i = 0; i < 3; ++i)
    deliver(accept({"alice@example.test"}, 300));
  CHECK(lines().size() == 6);
  retain();
  CHECK(lines().size() == 6);
  SECTION("the report ends it") {
    wait_value<Done>([&](auto done) { store().recovered("ccr1", "node2", 1, std::move(done)); });
    retain();
    CHECK(lines().size() == 3);
  }
  SECTION("ten minutes end it") {
    clock().advance(10min);
    retain();
    CHECK(lines().size() == 3);
  }
  SECTION("a restart does not") {
    reopen();
    retain();
    CHECK(lines().size() == 6);
  }
}
