#include "recovery/agent/comparison.hpp"

#include <catch2/catch.hpp>

#include "lines.hpp"

using namespace recovery::agent;
using namespace recovery::agent::test;
using dumpster::DeliveryState;
using Outcome = dumpster::ResubmissionItem::Outcome;

namespace {

Standpoint standpoint() {
  Standpoint made;
  made.node = "node2";
  made.term = 3;
  made.ripe = at(2'000'000);
  return made;
}

}  // namespace

TEST_CASE("what was delivered and is not in the inventory is delivered again, the rest is not") {
  Inventory inventory;
  inventory.add("alice", id(1));
  const Comparison result =
      compare({line(1, "alice"), line(2, "alice"), line(1, "bob")}, inventory, standpoint());
  CHECK(result.present == 1);
  CHECK(result.missing == 2);
  REQUIRE(result.decisions.size() == 2);
  CHECK(result.decisions[0].delivery_id == id(2));
  CHECK(result.decisions[0].outcome == Outcome::deliver);
  CHECK(result.decisions[0].attempt == 1);
  CHECK(result.decisions[1].recipients[0].mailbox == "bob");
}

TEST_CASE("of a line with several recipients only those who miss it are named") {
  Inventory inventory;
  inventory.add("alice", id(1));
  ListedDelivery both = line(1, "alice");
  both.recipients.push_back({"bob@example.test", "bob"});
  const Comparison result = compare({both}, inventory, standpoint());
  REQUIRE(result.decisions.size() == 1);
  REQUIRE(result.decisions[0].recipients.size() == 1);
  CHECK(result.decisions[0].recipients[0].address == "bob@example.test");
}

TEST_CASE("deliveries to the own node in its current term are left out, those of an earlier term are not") {
  const Comparison result =
      compare({line(1, "alice", "node2", 3), line(2, "alice", "node2", 1)}, Inventory{}, standpoint());
  CHECK(result.left_alone == 1);
  CHECK(result.missing == 1);
  CHECK_FALSE(is_in_question(line(1, "alice", "node2", 3), standpoint()));
  CHECK(is_in_question(line(2, "alice", "node2", 1), standpoint()));
}

TEST_CASE("a window that is compared again includes the own node's deliveries") {
  Standpoint again = standpoint();
  again.judge_own = true;
  CHECK(compare({line(1, "alice", "node2", 3)}, Inventory{}, again).missing == 1);
}

TEST_CASE("what is in doubt is settled either way, on the own node in its current term, too") {
  Inventory inventory;
  inventory.add("alice", id(1));
  const Comparison result = compare({line(1, "alice", "node2", 3, DeliveryState::in_doubt),
                                     line(2, "alice", "node1", 0, DeliveryState::in_doubt)},
                                    inventory, standpoint());
  CHECK(result.settled == 1);
  CHECK(result.missing == 1);
  REQUIRE(result.decisions.size() == 2);
  CHECK(result.decisions[0].outcome == Outcome::present);
  CHECK(result.decisions[1].outcome == Outcome::deliver);
  CHECK(result.decisions[1].in_doubt());
}

TEST_CASE("nothing is decided about what is in doubt before its outcome is settled") {
  Standpoint early = standpoint();
  early.ripe = at(1'000'001);
  Inventory inventory;
  inventory.add("alice", id(3));
  const Comparison result = compare({line(1, "alice", "node1", 0, DeliveryState::in_doubt),
                                     line(2, "alice", "node1", 0, DeliveryState::in_doubt),
                                     line(3, "alice", "node1", 0, DeliveryState::in_doubt)},
                                    inventory, early);
  CHECK(result.waiting == 2);
  REQUIRE(result.decisions.size() == 1);
  CHECK(result.decisions[0].delivery_id == id(1));
}

TEST_CASE("absent lines and those that another request delivers are left alone") {
  const std::vector<ListedDelivery> lines{line(1, "alice", "node1", 0, DeliveryState::absent),
                                          line(2, "alice", "node1", 0, DeliveryState::resubmitting)};
  const Comparison result = compare(lines, Inventory{}, standpoint());
  CHECK(result.left_alone == 2);
  CHECK(result.decisions.empty());
  CHECK(mailboxes_in_question(lines, standpoint()).empty());
}

TEST_CASE("what a node refused is tried again when it is missing, once") {
  const ListedDelivery refused = line(1, "alice", "node1", 0, DeliveryState::failed);
  CHECK(compare({refused}, Inventory{}, standpoint()).missing == 1);
  Standpoint later = standpoint();
  later.retry_failed = false;
  CHECK(compare({refused}, Inventory{}, later).decisions.empty());
  Inventory inventory;
  inventory.add("alice", id(1));
  CHECK(compare({refused}, inventory, standpoint()).decisions.empty());
}

TEST_CASE("copies are counted: two recipients of one message at one mailbox need two") {
  ListedDelivery twice = line(1, "alice");
  twice.recipients.push_back({"alice+work@example.test", "alice"});
  Inventory inventory;
  inventory.add("alice", id(1));
  const Comparison one = compare({twice}, inventory, standpoint());
  CHECK(one.present == 1);
  CHECK(one.missing == 1);
  inventory.add("alice", id(1));
  CHECK(compare({twice}, inventory, standpoint()).decisions.empty());
}

TEST_CASE("a copy belongs to the own node's delivery before it clears an older one") {
  const ListedDelivery older = line(1, "alice", "node1", 0);
  const ListedDelivery own = line(1, "alice", "node2", 3);
  Inventory inventory;
  inventory.add("alice", id(1));
  CHECK(compare({older, own}, inventory, standpoint()).missing == 1);
}

TEST_CASE("nothing is decided about a mailbox that could not be looked at") {
  Inventory inventory;
  inventory.set_unknown("alice", "no such user");
  const Comparison result =
      compare({line(1, "alice"), line(2, "alice", "node1", 0, DeliveryState::in_doubt), line(3, "bob")},
              inventory, standpoint());
  CHECK(result.unknown == 2);
  REQUIRE(result.decisions.size() == 1);
  CHECK(result.decisions[0].recipients[0].mailbox == "bob");
}
