#include "recovery/resubmission/pace.hpp"

#include <catch2/catch.hpp>

using namespace recovery;
using namespace std::chrono_literals;

namespace {

dumpster::ResubmissionWork waiting() {
  dumpster::ResubmissionWork work;
  work.running = 1;
  work.waiting = true;
  return work;
}

class PaceFixture {
 public:
  explicit PaceFixture(double rate = 100) : pace_(rate) {}

  Pace::Decision decide(std::chrono::milliseconds later = 50ms) {
    now_ += later;
    return pace_.decide(work, load, now_);
  }
  std::size_t release_within(std::chrono::milliseconds time) {
    std::size_t released = 0;
    for (auto passed = 0ms; passed < time; passed += 50ms)
      released += decide().release;
    return released;
  }

  dumpster::ResubmissionWork work = waiting();
  ClusterLoad load;

 private:
  Pace pace_;
  Pace::Instant now_{1h};
};

}  // namespace

TEST_CASE("a second's worth is released at once, and then as much as the rate allows") {
  PaceFixture pace;
  CHECK(pace.decide().release == 100);
  CHECK(pace.release_within(10s) == 1000);
  CHECK(pace.decide(1h).release == 100);
}

TEST_CASE("a rate below one look's worth is kept all the same") {
  PaceFixture pace{1};
  CHECK(pace.decide().release == 1);
  const auto released = pace.release_within(10s);
  CHECK(released >= 9);
  CHECK(released <= 10);
}

TEST_CASE("without a limit the pipeline is kept full and no fuller") {
  PaceFixture pace{0};
  CHECK(pace.decide().release == 1000);
  pace.load.resubmitted_waiting = 600;
  pace.load.in_flight = 20;
  pace.load.loading = 80;
  CHECK(pace.decide().release == 300);
  pace.load.resubmitted_waiting = 900;
  CHECK(pace.decide().release == 0);
  CHECK(pace.decide().pause.empty());
}

TEST_CASE("what the node defers does not hold up the rest, until it is too much") {
  PaceFixture pace{0};
  pace.work.spooled = 19'900;
  CHECK(pace.decide().release == 100);
  pace.work.spooled = 20'000;
  CHECK(pace.decide().release == 0);
}

TEST_CASE("back pressure pauses, its end lets go on") {
  PaceFixture pace;
  const auto paused = [&] {
    const auto decision = pace.decide();
    if (!decision.pause.empty()) CHECK(decision.release == 0);
    return decision.pause;
  };
  CHECK(paused().empty());
  pace.load.unreachable = true;
  CHECK(paused() == "the node cannot be reached");
  pace.load.unreachable = false;
  pace.load.held = true;
  CHECK(paused() == "the cluster is held");
  pace.load.held = false;
  pace.load.accepting = false;
  CHECK(paused() == "the hub sheds load");
  pace.load.accepting = true;
  CHECK(paused().empty());
}

TEST_CASE("a backlog of fresh mail pauses until half of it is gone") {
  PaceFixture pace;
  pace.load.fresh_waiting = 1000;
  CHECK(pace.decide().pause.empty());
  pace.load.fresh_waiting = 1001;
  CHECK(pace.decide().pause == "fresh mail waits");
  pace.load.fresh_waiting = 501;
  CHECK(pace.decide().pause == "fresh mail waits");
  pace.load.fresh_waiting = 500;
  CHECK(pace.decide().pause.empty());
}

TEST_CASE("a node that takes nothing out of a full pipeline for ten seconds is slow") {
  PaceFixture pace{0};
  pace.load.resubmitted_waiting = 1000;
  CHECK(pace.decide().pause.empty());
  CHECK(pace.decide(9s).pause.empty());
  CHECK(pace.decide(2s).pause == "the node is slow");
  pace.load.resubmitted_waiting = 600;
  CHECK(pace.decide().pause == "the node is slow");
  pace.load.resubmitted_waiting = 400;
  CHECK(pace.decide().pause.empty());
}

TEST_CASE("what is still marked as paused uses up nothing of what may be released behind it") {
  PaceFixture pace;
  pace.work.running = 0;
  pace.work.paused = 1;
  CHECK(pace.decide().release == 0);
  pace.work.running = 1;
  pace.work.paused = 0;
  CHECK(pace.decide().release == 100);
}

TEST_CASE("nothing is released while nothing waits") {
  PaceFixture pace;
  pace.work.waiting = false;
  CHECK(pace.decide().release == 0);
}
