#include "recovery/agent/stable_inventory.hpp"

#include <catch2/catch.hpp>

#include "fakes.hpp"

using namespace recovery::agent;
using namespace recovery::agent::test;
using namespace std::chrono_literals;

TEST_CASE("an inventory counts when two looks at least 1.5 s apart agree about the deliveries in question") {
  FakeClock clock;
  FakeInventory source;
  source.looks = {{{"alice", 1}}, {{"alice", 1}, {"alice", 2}}, {{"alice", 1}, {"alice", 2}, {"alice", 9}}};
  const auto before = clock.elapsed();
  const auto inventory = take_stable(source, clock, {"alice"}, {{"alice", id(1)}, {"alice", id(2)}}, at(0));
  REQUIRE(inventory.has_value());
  CHECK(source.taken == 3);
  CHECK(inventory->copies("alice", id(2)) == 1);
  CHECK(clock.elapsed() - before >= 3s);
}

TEST_CASE("a look that fails is an error, the second one too") {
  FakeClock clock;
  FakeInventory source;
  source.fails_from = 1;
  CHECK_FALSE(take_stable(source, clock, {"alice"}, {{"alice", id(1)}}, at(0)).has_value());
}

TEST_CASE("an inventory that never comes to rest is an error") {
  FakeClock clock;
  FakeInventory source;
  for (int look = 0; look < 200; ++look)
    source.looks.push_back(look % 2 == 0 ? Found{{"alice", 1}} : Found{});
  CHECK_FALSE(take_stable(source, clock, {"alice"}, {{"alice", id(1)}}, at(0)).has_value());
}
