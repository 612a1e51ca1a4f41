#include "relay/queue/destination_queue.hpp"

#include <algorithm>
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
  made.route = std::make_shared<relay::Route>(relay::Route{ClusterDestination{"ccr1"}, std::nullopt});
  made.resubmission = resubmission;
  return made;
}

Job retry() {
  auto made = job();
  made.message->spooled.attempts = 1;
  return made;
}

Job job_from(const std::string& sender, std::uint32_t number) {
  auto made = job();
  made.message->spooled.message.envelope.sender = sender;
  made.message->spooled.message.size = number;
  return made;
}

}  // namespace

TEST_CASE("first attempts go before retries and resubmissions, which have a share of one in four") {
  DestinationQueue queue{ClusterDestination{"ccr1"}, 20};
  for (int i = 0; i < 8; ++i) {
    queue.add(job());
    queue.add(job(true));
  }
  std::string order;
  while (const auto next = queue.take())
    order += next->resubmission ? 'r' : 'f';
  CHECK(order == "fffrfffrffrrrrrr");
  for (int i = 0; i < 6; ++i) {
    queue.add(job());
    queue.add(retry());
    queue.add(job(true));
  }
  order.clear();
  while (const auto next = queue.take())
    order += next->resubmission ? 'r' : next->message->spooled.attempts > 0 ? 't' : 'f';
  CHECK(order.size() == 18);
  // While all wait, half of what goes out are first attempts, and nobody is forgotten.
  CHECK(std::count(order.begin(), order.begin() + 10, 'f') >= 5);
  CHECK(std::count(order.begin(), order.begin() + 10, 't') >= 2);
  CHECK(std::count(order.begin(), order.begin() + 10, 'r') >= 2);
}

TEST_CASE("a bulk sender does not delay the mail of others, and a sender's mail keeps its order") {
  DestinationQueue queue{ClusterDestination{"ccr1"}, 20};
  for (std::uint32_t i = 0; i < 1000; ++i)
    queue.add(job_from("bounce-" + std::to_string(i) + "=someone@bulk.example", i));
  queue.add(job_from("alice@example.test", 1));
  queue.add(job_from("bob@example.test", 1));
  queue.add(job_from("Alice@example.test", 2));
  std::vector<std::string> first;
  for (int i = 0; i < 6; ++i) {
    const auto next = queue.take();
    first.push_back(next->message->spooled.message.envelope.sender + " " +
                    std::to_string(next->message->spooled.message.size));
  }
  CHECK(first == std::vector<std::string>{"bounce-0=someone@bulk.example 0", "alice@example.test 1",
                                          "bob@example.test 1", "bounce-1=someone@bulk.example 1",
                                          "Alice@example.test 2", "bounce-2=someone@bulk.example 2"});
}

TEST_CASE(
    "as many connections are opened as have work, up to what the destination takes and the hub leaves") {
  DestinationQueue queue{ClusterDestination{"ccr1"}, 3};
  CHECK(queue.connections_wanted(0, 0, 100, start) == 0);
  queue.add(job());
  CHECK(queue.connections_wanted(0, 0, 100, start) == 1);
  CHECK(queue.connections_wanted(1, 1, 100, start) == 0);
  CHECK(queue.connections_wanted(1, 0, 100, start) == 1);
  for (int i = 0; i < 9; ++i)
    queue.add(job());
  CHECK(queue.connections_wanted(0, 0, 100, start) == 3);
  CHECK(queue.connections_wanted(2, 0, 100, start) == 1);
  CHECK(queue.connections_wanted(3, 0, 100, start) == 0);
  CHECK(queue.connections_wanted(0, 0, 2, start) == 2);
  CHECK(queue.connections_wanted(2, 0, 2, start) == 0);
}

TEST_CASE("concurrency grows with success up to the limit and shrinks with failures") {
  DestinationQueue queue{ClusterDestination{"ccr1"}, 20};
  CHECK(queue.width() == 5);
  for (int i = 0; i < 5; ++i)
    queue.succeeded();
  CHECK(queue.width() == 5);  // a whole cohort brings one place, almost
  queue.succeeded();
  CHECK(queue.width() == 6);
  for (int i = 0; i < 500; ++i)
    queue.succeeded();
  CHECK(queue.width() == 20);
  for (int i = 0; i < 10; ++i)
    queue.failed("451 4.3.1 disk full", start, back_off, 0.5);
  CHECK(queue.width() == 19);
  CHECK_FALSE(queue.dead());
  CHECK(queue.may_begin(18, start));
  CHECK_FALSE(queue.may_begin(19, start));
}

TEST_CASE("a failed cohort makes a destination dead, one success in it does not let it come to that") {
  DestinationQueue queue{ClusterDestination{"ccr1"}, 20};
  queue.add(job());
  for (int round = 0; round < 10; ++round) {
    for (int i = 0; i < 3; ++i)
      queue.failed("421 going down", start, back_off, 0.5);
    queue.succeeded();
  }
  CHECK_FALSE(queue.dead());
  for (int i = 0; i < 5 && !queue.dead(); ++i)
    queue.failed("421 going down", start, back_off, 0.5);
  CHECK(queue.dead());
  CHECK(queue.probe_at() == start + 5s);
  CHECK_FALSE(queue.may_begin(0, start + 4s));
  CHECK(queue.may_begin(0, start + 5s));
  CHECK_FALSE(queue.may_begin(1, start + 5s));
  queue.failed("421 still", start + 5s, back_off, 0.5);
  CHECK(queue.probe_at() == start + 15s);  // probed, not hammered
  CHECK(queue.succeeded());
  CHECK_FALSE(queue.dead());
  CHECK_FALSE(queue.succeeded());
}

TEST_CASE("a destination that cannot be reached is probed by one connection after its back-off") {
  DestinationQueue queue{ClusterDestination{"ccr1"}, 20};
  for (int i = 0; i < 10; ++i)
    queue.add(job());
  queue.connect_failed("refused", 0, start, back_off, 0.5);
  CHECK(queue.dead());
  CHECK(queue.connections_wanted(0, 0, 100, start + 4s) == 0);
  CHECK(queue.connections_wanted(0, 0, 100, start + 5s) == 1);
  CHECK(queue.connections_wanted(1, 1, 100, start + 5s) == 0);
  queue.connect_failed("refused", 0, start + 5s, back_off, 0.5);
  CHECK(queue.probe_at() == start + 15s);
  CHECK(queue.waiting() == 10);
}

TEST_CASE("connections that were begun together and fail together are one failure") {
  DestinationQueue queue{ClusterDestination{"ccr1"}, 20};
  for (int i = 0; i < 10; ++i)
    queue.add(job());
  for (std::uint32_t open = 5; open-- > 0;)
    queue.connect_failed("refused", open, start, back_off, 0.5);
  CHECK(queue.dead());
  CHECK(queue.probe_at() == start + 5s);
}

TEST_CASE("a next hop that wants no more connections gets fewer and is not dead") {
  DestinationQueue queue{ClusterDestination{"ccr1"}, 20};
  for (int i = 0; i < 100; ++i)
    queue.succeeded();
  const auto before = queue.width();
  queue.connect_failed("too many", 9, start, back_off, 0.5);
  CHECK_FALSE(queue.dead());
  CHECK(queue.width() <= before);
}

TEST_CASE("a destination that answers again has one transaction, then all, and tells since when") {
  DestinationQueue queue{ClusterDestination{"ccr1"}, 20};
  for (int i = 0; i < 3; ++i)
    queue.add(job());
  queue.connect_failed("refused", 0, start, back_off, 0.5);
  CHECK(queue.connected(start + 5s));
  CHECK(queue.reachable_since() == start + 5s);
  CHECK(queue.may_begin(0, start + 5s));
  CHECK_FALSE(queue.may_begin(1, start + 5s));
  CHECK(queue.connections_wanted(1, 0, 100, start + 5s) == 0);
  CHECK(queue.succeeded());
  CHECK(queue.connections_wanted(1, 0, 100, start + 5s) == 3);
  CHECK_FALSE(queue.connected(start + 6s));
  CHECK(queue.reachable_since() == start + 5s);
}

TEST_CASE("another active node begins without the failures of the old one") {
  DestinationQueue queue{ClusterDestination{"ccr1"}, 20};
  queue.add(job());
  queue.connect_failed("refused", 0, start, back_off, 0.5);
  queue.reset();
  CHECK(queue.connections_wanted(0, 0, 100, start) == 1);
  CHECK(queue.last_error().empty());
}

TEST_CASE("jobs can be taken out by a rule and the others keep their order") {
  DestinationQueue queue{ClusterDestination{"ccr1"}, 20};
  queue.add(job_from("a@x", 1));
  queue.add(job(true));
  queue.add(job_from("a@x", 2));
  queue.add(job_from("a@x", 3));
  const auto removed = queue.remove(
      [](const Job& each) { return each.resubmission || each.message->spooled.message.size == 2; });
  CHECK(removed.size() == 2);
  CHECK(queue.waiting() == 2);
  CHECK(queue.take()->message->spooled.message.size == 1);
  CHECK(queue.take()->message->spooled.message.size == 3);
  CHECK_FALSE(queue.take());
}

TEST_CASE("jobs that wait for one destination and group share one route, whatever made it") {
  DestinationQueue queue{ClusterDestination{"ccr1"}, 20};
  const auto to = [](const char* group) {
    auto made = job();
    const dumpster::StorageGroup name{"ccr1", group};
    made.route = std::make_shared<relay::Route>(relay::Route{ClusterDestination{"ccr1"}, name});
    return made;
  };
  for (const auto* group : {"sg1", "sg2", "sg1"})
    queue.add(to(group));
  const auto first = queue.take()->route;
  const auto second = queue.take()->route;
  CHECK(first->group->group == "sg1");
  CHECK(second->group->group == "sg2");
  CHECK(queue.take()->route == first);
}

TEST_CASE("places are a set in order, whatever comes twice or goes unasked") {
  relay::Places places;
  CHECK(places.empty());
  for (const std::uint32_t place : {7U, 2U, 5U, 2U})
    places.insert(place);
  CHECK(places.contains(2));
  CHECK_FALSE(places.contains(3));
  places.erase(3);
  places.erase(2);
  CHECK_FALSE(places.contains(2));
  CHECK(places.contains(5));
  places.erase(7);
  places.erase(5);
  CHECK(places.empty());
}

TEST_CASE("what differs in each mail of a list does not make it another sender") {
  CHECK(relay::sender_class("Bounces-123-abc=u=x.example@List.example") ==
        relay::sender_class("bounces-456-abc=v=y.example@list.example"));
  CHECK(relay::sender_class("alice+news@example.test") == "alice@example.test");
  CHECK(relay::sender_class("") == "");
  CHECK(relay::sender_class("=odd@example.test") == "=odd@example.test");
  CHECK(relay::sender_class("a@x.example") != relay::sender_class("a@y.example"));
}
