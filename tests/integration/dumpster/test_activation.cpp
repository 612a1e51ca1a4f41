#include "store_fixture.hpp"

using namespace dumpster;
using namespace dumpster::testing;
using Kind = RecipientOutcome::Kind;

TEST_CASE_METHOD(StoreFixture, "a cluster begins with its first node and term 0") {
  const auto state = cluster();
  CHECK(state.active == "node1");
  CHECK(state.term == 0);
  CHECK(state.recovered);
  CHECK_FALSE(state.has_agent());
}

TEST_CASE_METHOD(StoreFixture, "only a higher term activates, and the same node and term again is the same") {
  const auto first = activate("node2", 3);
  CHECK(first.applied);
  CHECK(first.state.active == "node2");
  CHECK(first.state.term == 3);
  CHECK_FALSE(first.state.recovered);
  const auto activated_at = first.state.activated_at;
  clock().advance(1min);
  const auto again = activate("node2", 3);
  CHECK(again.applied);
  CHECK(again.state.activated_at == activated_at);
  CHECK(again.now > first.now);
  for (const auto& [node_name, wanted] : {std::pair{"node1", 3}, {"node1", 2}, {"node2", 2}}) {
    const auto refused = activate(node_name, static_cast<std::uint64_t>(wanted));
    CHECK_FALSE(refused.applied);
    CHECK(refused.state.active == "node2");
    CHECK(refused.state.term == 3);
  }
  reopen(false);
  CHECK(cluster().active == "node2");
  CHECK(cluster().term == 3);
  CHECK(cluster().activated_at == activated_at);
}

TEST_CASE_METHOD(StoreFixture, "an activation of an unknown cluster or node is refused") {
  Activation activation;
  activation.cluster = "ccr2";
  activation.node = "node1";
  activation.term = 5;
  auto refused =
      wait_for<ActivationResult>([&](auto done) { store().activate(activation, std::move(done)); });
  CHECK(refused.error().fault == Fault::not_found);
  activation.cluster = "ccr1";
  activation.node = "node3";
  refused = wait_for<ActivationResult>([&](auto done) { store().activate(activation, std::move(done)); });
  CHECK(refused.error().fault == Fault::not_found);
  CHECK(cluster().term == 0);
}

TEST_CASE_METHOD(StoreFixture,
                 "an agent's activation records its contact, and a contact of another node is passed over") {
  activate("node2", 1, true);
  CHECK(cluster().has_agent());
  store().record_agent_contact("ccr1", "node1");
  snapshot();
  CHECK(cluster().agent_seen.size() == 1);
  reopen(false);
  CHECK(cluster().has_agent());
  activate("node1", 2);
  CHECK_FALSE(cluster().has_agent());
}

TEST_CASE_METHOD(StoreFixture, "the first contact of an agent is durable, later ones move its time") {
  store().record_agent_contact("ccr1", "node1");
  CHECK(cluster().has_agent());  // at once, whatever the disk does
  snapshot();
  REQUIRE(cluster().has_agent());
  clock().advance(1s);
  store().record_agent_contact("ccr1", "node1");
  CHECK(cluster().agent_seen.front().second == clock().now());
  reopen(false);
  CHECK(cluster().has_agent());
}

TEST_CASE_METHOD(StoreFixture, "only the active node in its term reports that it has recovered") {
  activate("node2", 1);
  const std::vector<std::pair<std::string, std::uint64_t>> wrong{{"node1", 1}, {"node2", 0}, {"node2", 2}};
  for (const auto& claim : wrong) {
    const auto refused = wait_for<Done>(
        [&](auto done) { store().recovered("ccr1", claim.first, claim.second, std::move(done)); });
    REQUIRE(refused.has_error());
    CHECK(refused.error().fault == Fault::conflict);
  }
  CHECK_FALSE(cluster().recovered);
  wait_value<Done>([&](auto done) { store().recovered("ccr1", "node2", 1, std::move(done)); });
  CHECK(cluster().recovered);
}

TEST_CASE_METHOD(StoreFixture, "an activation leaves in doubt what was in doubt") {
  const auto message = accept();
  put_in_doubt(message);
  const auto before = only_line();
  const auto result = activate("node2", 1);
  CHECK(result.touched.empty());
  CHECK(only_line() == before);
  CHECK(spooled(message.key)->entries.front().in_doubt);
}

TEST_CASE_METHOD(StoreFixture, "an activation takes back what resubmissions have not delivered yet") {
  const auto delivered = accept();
  deliver(delivered);
  const auto doubtful = accept();
  put_in_doubt(doubtful);
  const auto before = lines();
  const auto accepted = resubmit(window("fill"));
  CHECK(accepted.resubmission.matched == 2);
  clock().advance(1min);
  const auto result = activate("node2", 1);
  CHECK(result.touched.size() == 2);
  const auto ended = resubmission(accepted.resubmission.id);
  CHECK(ended.state == ResubmissionState::cancelled);
  CHECK(ended.cancelled == 2);
  CHECK(lines() == before);
  CHECK_FALSE(spooled(delivered.key));
  const auto left = spooled(doubtful.key);
  REQUIRE(left);
  CHECK(left->entries.front().in_doubt);
  CHECK(left->entries.front().in_doubt_since == clock().now());
  CHECK(left->entries.front().resubmission.is_nil());
  CHECK(group().in_doubt == 1);
}

TEST_CASE_METHOD(StoreFixture,
                 "a resubmission that fell in doubt goes back to the delivery that it came from") {
  const auto message = accept();
  deliver(message);
  activate("node2", 1);
  node = "node2";
  term = 1;
  const auto accepted = resubmit(window("fill"));
  put_in_doubt(message, sg1, 2);
  const auto doubtful = only_line();
  CHECK(doubtful.state == DeliveryState::in_doubt);
  CHECK(doubtful.ever_delivered);
  CHECK(doubtful.node == "node2");
  CHECK(resubmission(accepted.resubmission.id).state == ResubmissionState::running);
  CHECK(spooled(message.key)->entries.front().resubmission == accepted.resubmission.id);
  reopen(false);
  activate("node1", 2);
  // Not as delivered to node2, which nobody knows: evidence about that attempt must not be taken for granted.
  const auto back = only_line();
  CHECK(back.state == DeliveryState::delivered);
  CHECK(back.node == "node1");
  CHECK(back.term == 0);
  CHECK(back.attempt == 1);
  CHECK_FALSE(spooled(message.key));
}

TEST_CASE_METHOD(StoreFixture,
                 "only the active node calls deliveries absent, and a part of a line gets its own") {
  const auto message = accept({"alice@example.test", "bob@example.test"});
  deliver(message);
  AbsentReport report;
  report.group = sg1;
  report.node = "node2";
  report.items = {{only_line().delivery_id, std::nullopt, {"ALICE@example.test"}, {}}};
  const auto refused = wait_for<Done>([&](auto done) { store().mark_absent(report, std::move(done)); });
  REQUIRE(refused.has_error());
  CHECK(refused.error().fault == Fault::conflict);
  report.node = "node1";
  wait_value<Done>([&](auto done) { store().mark_absent(report, std::move(done)); });
  auto all = lines();
  REQUIRE(all.size() == 2);
  CHECK(all[0].state == DeliveryState::delivered);
  CHECK(all[0].recipients.front().index == 1);
  CHECK(all[1].state == DeliveryState::absent);
  CHECK(all[1].recipients.front().index == 0);
  report.items.front().recipients.clear();
  wait_value<Done>([&](auto done) { store().mark_absent(report, std::move(done)); });
  all = lines();
  REQUIRE(all.size() == 2);
  CHECK(all[0].state == DeliveryState::absent);
}
