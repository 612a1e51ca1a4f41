#include "recovery/resubmission/runner.hpp"

#include <boost/asio/io_context.hpp>

#include "tests/integration/recovery/api_hub.hpp"

using namespace recovery;
using namespace std::chrono_literals;

namespace {

/// A runner of one cluster whose store always has more.
class Running {
 public:
  Running() {
    store.work.running = 1;
    store.work.waiting = true;
    runner.start();
  }
  /// Lets the runner work until `reached`, and a little longer.
  template <class Reached>
  void look_until(Reached reached) {
    runner.wake();
    const auto limit = std::chrono::steady_clock::now() + 20s;
    do {
      context.restart();
      context.run_for(60ms);
    } while (!reached() && std::chrono::steady_clock::now() < limit);
  }

  FakeStore store;
  FakeRelay relay{store};
  boost::asio::io_context context{1};
  ResubmissionRunner runner{context.get_executor(), store, relay, {"ccr1"}, 10};
};

}  // namespace

TEST_CASE("what waits is released at the rate, and loaded by the relay") {
  Running running;
  const auto begun = std::chrono::steady_clock::now();
  running.look_until([&] { return running.relay.reloaded > 0; });
  const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - begun;
  REQUIRE_FALSE(running.store.released.empty());
  CHECK(running.store.released.front() == 10);
  CHECK(running.relay.reloaded >= 10);
  CHECK(static_cast<double>(running.relay.reloaded) <= 11 + 10 * passed.count());
}

TEST_CASE("under back pressure resubmissions are paused ones, with the reason, and go on by themselves") {
  Running running;
  running.relay.cluster_load.unreachable = true;
  running.look_until([&] { return running.store.work.paused == 1; });
  CHECK(running.store.work.paused == 1);
  CHECK(running.store.released.empty());
  CHECK(running.runner.paused_because("ccr1") == "the node cannot be reached");
  running.relay.cluster_load.unreachable = false;
  running.look_until([&] { return !running.store.released.empty(); });
  CHECK(running.store.work.paused == 0);
  CHECK(running.store.work.running == 1);
  CHECK_FALSE(running.store.released.empty());
  CHECK(running.runner.paused_because("ccr1").empty());
}

TEST_CASE("a runner that is stopped releases nothing more") {
  Running running;
  running.runner.stop();
  running.look_until([] { return true; });
  CHECK(running.store.released.empty());
}
