#include "store_fixture.hpp"

using namespace dumpster;
using namespace dumpster::testing;

TEST_CASE_METHOD(StoreFixture, "times of delivery grow strictly even when the clock stands or steps back") {
  for (int i = 0; i < 3; ++i)
    deliver(accept());
  clock().advance(-1h);
  for (int i = 0; i < 3; ++i)
    deliver(accept());
  const auto all = lines();
  REQUIRE(all.size() == 6);
  for (std::size_t i = 1; i < all.size(); ++i)
    CHECK(all[i].delivered_at > all[i - 1].delivered_at);
}

TEST_CASE_METHOD(StoreFixture, "nothing appears later with a time before the now of a snapshot") {
  deliver(accept());
  const auto now = snapshot();
  CHECK(only_line().delivered_at < now);
  SECTION("while the store runs") {
    clock().advance(-1h);
  }
  SECTION("after a crash with the clock stepped back") {
    clock().advance(-1h);
    reopen(false);
  }
  deliver(accept());
  CHECK(lines().back().delivered_at > now);
  CHECK(snapshot() > lines().back().delivered_at);
}

TEST_CASE_METHOD(StoreFixture, "a look at retention that removes nothing leaves the disk alone") {
  deliver(accept());
  const auto before = store().identity().sequence;
  store().retain();
  // A call that is refused goes through the committer behind it and writes nothing itself.
  const auto refused =
      wait_for<Done>([&](Completion<Done> done) { store().recovered("ccr1", "node1", 99, std::move(done)); });
  CHECK(refused.has_error());
  CHECK(store().identity().sequence == before);
}

TEST_CASE_METHOD(StoreFixture, "the sequence counts writes and never falls") {
  const auto before = store().identity();
  accept();
  const auto after = store().identity();
  CHECK(after.sequence > before.sequence);
  reopen(false);
  CHECK(store().identity().sequence > after.sequence);
  CHECK(store().identity().store_id == before.store_id);
  CHECK(store().identity().store_created == before.store_created);
}

TEST_CASE_METHOD(StoreFixture, "a listing pages through its window, oldest first, end not included") {
  std::vector<Instant> times;
  for (int i = 0; i < 10; ++i) {
    clock().advance(1s);
    deliver(accept());
    times.push_back(clock().now());
  }
  DeliveryQuery query;
  query.group = sg1;
  query.from = times[2];
  query.until = times[8];
  query.limit = 4;
  const auto first = wait_value<DeliveryPage>([&](auto done) { store().list(query, std::move(done)); });
  REQUIRE(first.deliveries.size() == 4);
  CHECK(first.deliveries.front().delivered_at == times[2]);
  REQUIRE(first.continue_from == times[6]);
  query.from = *first.continue_from;
  const auto last = wait_value<DeliveryPage>([&](auto done) { store().list(query, std::move(done)); });
  CHECK(last.deliveries.size() == 2);
  CHECK(last.deliveries.back().delivered_at == times[7]);
  CHECK_FALSE(last.continue_from);
  query.state = DeliveryState::failed;
  const auto none = wait_value<DeliveryPage>([&](auto done) { store().list(query, std::move(done)); });
  CHECK(none.deliveries.empty());
}
