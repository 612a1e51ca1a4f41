#include "relay/queue/slowdowns.hpp"

#include <catch2/catch.hpp>

using namespace std::chrono_literals;
using relay::ClusterDestination;
using relay::Destination;
using relay::Slowdowns;

namespace {

const Destination cluster{ClusterDestination{"ccr1"}};

std::chrono::milliseconds pause_with(std::size_t waiting) {
  Slowdowns slowdowns;
  slowdowns.add(cluster, waiting);
  return slowdowns.pause_of(cluster);
}

}  // namespace

TEST_CASE("nobody is slowed down while a destination keeps up") {
  Slowdowns slowdowns;
  slowdowns.add(cluster, Slowdowns::untroubled);
  CHECK(slowdowns.none());
  CHECK(slowdowns.pause_of(cluster) == 0ms);
}

TEST_CASE("the more waits for a destination the longer each message for it is kept, up to a limit") {
  CHECK(pause_with(30'000) == 500ms);
  CHECK(pause_with(40'000) == 1s);
  CHECK(pause_with(80'000) == 3s);
  CHECK(pause_with(100'000'000) == Slowdowns::longest);
}

TEST_CASE("mail for another destination is not slowed down") {
  Slowdowns slowdowns;
  slowdowns.add(cluster, 40'000);
  CHECK_FALSE(slowdowns.none());
  CHECK(slowdowns.pause_of(ClusterDestination{"ccr2"}) == 0ms);
}
