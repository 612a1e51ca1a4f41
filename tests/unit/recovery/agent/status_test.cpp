#include "recovery/agent/status_text.hpp"

#include <boost/json.hpp>
#include <catch2/catch.hpp>

#include "fakes.hpp"

using namespace recovery::agent;
using namespace recovery::agent::test;
using namespace std::chrono_literals;

namespace {

/// A node that has followed its hub: the oldest delivery that it does not have is 90 s old.
StatusReport lagging(Scene& scene) {
  scene.mark_store();
  scene.marker->kept = "m";
  scene.state->kept.marker = "m";
  scene.ledger->saved = Ledger{"m"};
  Watermark mark;
  mark.low = scene.clock.now() - 90s;
  mark.last_confirmed = scene.clock.now() - 100s;
  mark.unconfirmed = 2;
  scene.ledger->saved.set_watermark({scene.hub().address(), "sg1"}, mark);
  return status(scene.surroundings);
}

}  // namespace

TEST_CASE("the status says lag, last confirmed and every hub's dumpster, to people and to scripts") {
  Scene scene;
  const StatusReport report = lagging(scene);
  CHECK_THAT(to_text(report), Catch::Contains("storage group sg1: replication lag 90 s"));
  CHECK_THAT(to_text(report), Catch::Contains("2 unconfirmed"));
  const auto json = boost::json::parse(to_json(report));
  CHECK(json.at("dumpsters").at(0).at("replication_lag_seconds").as_double() == 90.0);
  CHECK(json.at("dumpsters").at(0).at("unconfirmed").to_number<int>() == 2);
  CHECK(json.at("exit_status").to_number<int>() == 0);
}

TEST_CASE("the status names hubs that are not available, and what is pending") {
  Scene scene{2};
  scene.hub(1).reachable = false;
  CHECK(scene.promote().exit_status() == 2);
  const StatusReport report = status(scene.surroundings);
  CHECK_THAT(to_text(report), Catch::Contains("http://hub2: not available"));
  CHECK_THAT(to_text(report), Catch::Contains("http://hub2: to be activated and filled"));
  CHECK(report.report.exit_status() == 2);
}

TEST_CASE("a dumpster that watch has not followed has no lag") {
  Scene scene;
  CHECK_THAT(to_text(status(scene.surroundings)), Catch::Contains("not followed by `watch`"));
}
