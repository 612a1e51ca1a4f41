#include <catch2/catch.hpp>

#include "fakes.hpp"

using namespace recovery::agent;
using namespace recovery::agent::test;
using namespace std::chrono_literals;

namespace {

Report ask_for_coverage(Scene& scene, std::optional<std::uint64_t> term = {}) {
  PromoteOptions options;
  options.dry_run = true;
  options.fill = false;
  options.term = term;
  return scene.promote(options);
}

}  // namespace

TEST_CASE("a dry run without filling tells the coverage without listing, looking or waiting") {
  Scene scene;
  scene.hub().lines = {line(1, "alice")};
  scene.inventory->fails_from = 0;
  const Report report = ask_for_coverage(scene);
  CHECK(report.exit_status() == 0);
  CHECK(report.items.empty());
  CHECK(scene.world.events().empty());
  CHECK(scene.clock.elapsed() == dumpster::Duration::zero());
}

TEST_CASE("a dry run without filling ends with 3 when a dumpster does not reach back, or was lost") {
  Scene evicted;
  evicted.surroundings.lookback = 12h;
  evicted.hub().covered_from = evicted.clock.now() - 11h;
  const Report report = ask_for_coverage(evicted);
  CHECK(report.exit_status() == 3);
  CHECK_THAT(report.hubs[0].coverage, Catch::Contains("reaches back to"));
  evicted.surroundings.lookback = 10h;
  CHECK(ask_for_coverage(evicted).exit_status() == 0);

  Scene lost;
  lost.promote();
  lost.hub().identity.store_id = "restored";
  lost.hub().identity.store_created = lost.clock.now() - 1h;
  lost.hub().covered_from = lost.hub().identity.store_created;
  CHECK(ask_for_coverage(lost).exit_status() == 3);
}

TEST_CASE("a dry run without filling ends with 3 for what left a dumpster before this node had it") {
  Scene scene;
  scene.surroundings.lookback = 12h;
  scene.mark_store();
  scene.marker->kept = scene.state->kept.marker = "m";
  scene.ledger->saved = Ledger{"m"};
  Watermark mark;
  mark.low = scene.clock.now();
  mark.evicted_until = scene.clock.now() - 1h;
  scene.ledger->saved.set_watermark({scene.hub().address(), "sg1"}, mark);
  CHECK(ask_for_coverage(scene).exit_status() == 3);
}

TEST_CASE(
    "a dry run ends with 2 for a hub that is away, with 1 without a mail store, with 5 for an old term") {
  Scene away{2};
  away.hub(1).reachable = false;
  CHECK(ask_for_coverage(away).exit_status() == 2);

  Scene unmounted;
  unmounted.mark_store();
  unmounted.marker->is_there = false;
  CHECK(ask_for_coverage(unmounted).exit_status() == 1);

  Scene beaten;
  beaten.hub().term = 4;
  CHECK(ask_for_coverage(beaten, 4).exit_status() == 5);
  CHECK(ask_for_coverage(beaten, 5).exit_status() == 0);
  PromoteOptions whole;
  whole.dry_run = true;
  whole.term = 3;
  CHECK(beaten.promote(whole).exit_status() == 5);
}
