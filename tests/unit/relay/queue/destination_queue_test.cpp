#include "relay/queue/destination_queue.hpp"

#include <catch2/catch.hpp>

using namespace std::chrono_literals;
using dumpster::Instant;
using relay::BackOff;
using relay::ClusterDestination;
using relay::DestinationQueue;
using relay::Job;

namespace {

const Instant start{1000s};
const BackOff back_off{5s, 60s};

Job job(bool resubmission = false) {
  Job made;
  made.message = std::make_shared<relay::QueuedMessage>();
  made.destination = ClusterDestination{"ccr1"};
  made.resubmission = resubmission;
  return made;
}

}  // namespace

TEST_CASE("fresh mail goes first, and one job of four is a resubmission while both wait") {
  DestinationQueue queue{ClusterDestination{"ccr1"}, 20};
  for (int i = 0; i < 8; ++i) {
    queue.add(job());
    queue.add(job(true));
  }
  std::string order;
  while (const auto next = queue.take())
    order += next->resubmission ? 'r' : 'f';
  CHECK(order == "fffrfffrffrrrrrr");
}

TEST_CASE("as many connections are opened as have work, up to the limit") {
  DestinationQueue queue{ClusterDestination{"ccr1"}, 3};
  CHECK(queue.connections_wanted(0, 0, start) == 0);
  queue.add(job());
  CHECK(queue.connections_wanted(0, 0, start) == 1);
  CHECK(queue.connections_wanted(1, 1, start) == 0);
  CHECK(queue.connections_wanted(1, 0, start) == 1);
  for (int i = 0; i < 9; ++i)
    queue.add(job());
  CHECK(queue.connections_wanted(0, 0, start) == 3);
  CHECK(queue.connections_wanted(2, 0, start) == 1);
  CHECK(queue.connections_wanted(3, 0, start) == 0);
}

TEST_CASE("a destination that cannot be reached is probed by one connection after its back-off") {
  DestinationQueue queue{ClusterDestination{"ccr1"}, 20};
  for (int i = 0; i < 10; ++i)
    queue.add(job());
  queue.connect_failed("refused", start, back_off, 0.5);
  CHECK(queue.unreachable());
  CHECK(queue.connections_wanted(0, 0, start + 4s) == 0);
  CHECK(queue.connections_wanted(0, 0, start + 5s) == 1);
  CHECK(queue.connections_wanted(1, 1, start + 5s) == 0);
  queue.connect_failed("refused", start + 5s, back_off, 0.5);
  CHECK(queue.probe_at() == start + 15s);
  CHECK(queue.waiting() == 10);
}

TEST_CASE("a destination that answers again is open to all and tells since when") {
  DestinationQueue queue{ClusterDestination{"ccr1"}, 20};
  for (int i = 0; i < 3; ++i)
    queue.add(job());
  queue.connect_failed("refused", start, back_off, 0.5);
  CHECK(queue.connected(start + 5s));
  CHECK(queue.reachable_since() == start + 5s);
  CHECK(queue.connections_wanted(1, 0, start + 5s) == 3);
  CHECK_FALSE(queue.connected(start + 6s));
  CHECK(queue.reachable_since() == start + 5s);
}

TEST_CASE("another active node begins without the failures of the old one") {
  DestinationQueue queue{ClusterDestination{"ccr1"}, 20};
  queue.add(job());
  queue.connect_failed("refused", start, back_off, 0.5);
  queue.reset();
  CHECK(queue.connections_wanted(0, 0, start) == 1);
  CHECK(queue.last_error().empty());
}

TEST_CASE("jobs can be taken out by a rule and the others keep their order") {
  DestinationQueue queue{ClusterDestination{"ccr1"}, 20};
  queue.add(job());
  queue.add(job(true));
  queue.add(job());
  CHECK(queue.remove([](const Job& each) { return each.resubmission; }).size() == 1);
  CHECK(queue.waiting() == 2);
}
