#include "relay/server/session_registry.hpp"

#include <catch2/catch.hpp>

using namespace std::chrono_literals;
using relay::SessionRegistry;

TEST_CASE("no more sessions are admitted than the limit, and an ended one makes room") {
  SessionRegistry registry;
  const auto first = registry.add([] {}, 1);
  REQUIRE(first);
  CHECK_FALSE(registry.add([] {}, 1));
  registry.remove(*first);
  CHECK(registry.add([] {}, 1));
}

TEST_CASE("stopping asks every session, admits none and waits until all have ended") {
  SessionRegistry registry;
  std::optional<SessionRegistry::Id> id;
  id = registry.add([&] { registry.remove(*id); }, 10);
  CHECK(registry.stop_all(1s));
  CHECK_FALSE(registry.add([] {}, 10));
}

TEST_CASE("a session that does not end in time is told") {
  SessionRegistry registry;
  registry.add([] {}, 10);
  CHECK_FALSE(registry.stop_all(1ms));
  CHECK(registry.count() == 1);
}
