#include "store_fixture.hpp"

using namespace dumpster;
using namespace dumpster::testing;
using Kind = RecipientOutcome::Kind;
using Outcome = ResubmissionItem::Outcome;

namespace {

/// A store with some deliveries to resubmit.
class ResubmissionFixture : public StoreFixture {
 public:
  Uuid id_of(const Message& message) { return delivery_id_of(message.key, "ccr1", "sg1"); }

  ResubmissionItem item(const Message& message, Outcome outcome = Outcome::deliver,
                        std::optional<std::uint32_t> attempt = std::nullopt) {
    ResubmissionItem made;
    made.delivery_id = id_of(message);
    made.attempt = attempt;
    made.outcome = outcome;
    return made;
  }

  Fault refused(ResubmissionRequest request) {
    const auto result = wait_for<ResubmissionAccepted>(
        [&](auto done) { store().resubmit(std::move(request), std::move(done)); });
    REQUIRE(result.has_error());
    return result.error().fault;
  }

  std::vector<Uuid> cancel(Uuid id) {
    return wait_value<std::vector<Uuid>>([&](auto done) { store().cancel(id, std::move(done)); });
  }
};

}  // namespace

TEST_CASE_METHOD(ResubmissionFixture,
                 "what is resubmitted is in the spool for its recipients as stored, and pinned") {
  const auto message = accept({"alice@example.test", "bob@example.test"});
  deliver(message);
  const auto before = only_line();
  clock().advance(1h);
  const auto accepted = resubmit(items("one", {item(message)}));
  CHECK_FALSE(accepted.repeated);
  CHECK(accepted.touched == std::vector<Uuid>{message.key});
  CHECK(accepted.resubmission.state == ResubmissionState::running);
  CHECK(accepted.resubmission.matched == 2);
  CHECK(accepted.resubmission.resubmitted == 2);
  CHECK(accepted.resubmission.not_found.empty());
  const auto found = spooled(message.key);
  REQUIRE(found);
  CHECK(found->message == message);
  CHECK(found->attempts == 1);
  REQUIRE(found->entries.size() == 2);
  const auto& entry = found->entries.back();
  CHECK(entry.group == sg1);
  CHECK(entry.mailbox == "mailbox-of-bob@example.test");
  CHECK(entry.line == before.delivered_at);
  CHECK(entry.ever_delivered);
  CHECK(entry.resubmission == accepted.resubmission.id);
  CHECK(entry.resubmit_until == clock().now() + 24h);
  CHECK(entry.next_attempt == clock().now());
  CHECK(only_line().state == DeliveryState::resubmitting);
  CHECK(only_line().delivered_at == before.delivered_at);
  CHECK(store().spool_totals().messages == 1);

  SECTION("delivered, it has moved to its new time and node, under the same id") {
    activate("node2", 1);
    const auto again = resubmit(items("two", {item(message)}));
    node = "node2";
    term = 1;
    deliver(message, sg1, 2);
    const auto line = only_line();
    CHECK(line.delivery_id == before.delivery_id);
    CHECK(line.state == DeliveryState::delivered);
    CHECK(line.node == "node2");
    CHECK(line.attempt == 2);
    CHECK(line.delivered_at > before.delivered_at);
    CHECK_FALSE(spooled(message.key));
    const auto record = resubmission(again.resubmission.id);
    CHECK(record.state == ResubmissionState::completed);
    CHECK(record.delivered == 2);
    CHECK(body(message.key).value() == body_of(message));
  }
  SECTION("refused for good, it stays as failed and can be tried again") {
    record(outcome(message, {0}, Kind::refused, sg1, 2));
    auto all = lines();
    REQUIRE(all.size() == 2);
    CHECK(all[0].state == DeliveryState::resubmitting);
    CHECK(all[1].state == DeliveryState::failed);
    CHECK(all[1].recipients.front().index == 0);
    deliver(message, sg1, 3);
    const auto record = resubmission(accepted.resubmission.id);
    CHECK(record.state == ResubmissionState::completed);
    CHECK(record.delivered == 1);
    CHECK(record.failed == 1);
    const auto third = resubmit(window("three"));
    CHECK(third.resubmission.matched == 2);
  }
  SECTION("deleted by an operator, it is as it was") {
    record(outcome(message, {0, 1}, Kind::deleted, std::nullopt, 2));
    CHECK(only_line() == before);
    CHECK(resubmission(accepted.resubmission.id).cancelled == 2);
    CHECK(resubmission(accepted.resubmission.id).state == ResubmissionState::completed);
  }
  SECTION("cancelled, it is as it was") {
    CHECK(cancel(accepted.resubmission.id) == std::vector<Uuid>{message.key});
    CHECK(only_line() == before);
    CHECK_FALSE(spooled(message.key));
    CHECK(resubmission(accepted.resubmission.id).state == ResubmissionState::cancelled);
    CHECK(cancel(accepted.resubmission.id).empty());
  }
  SECTION("asked for again under another key, it is not pending twice") {
    const auto other = resubmit(items("other", {item(message)}));
    CHECK(other.resubmission.matched == 0);
    CHECK(other.resubmission.state == ResubmissionState::completed);
    CHECK(other.resubmission.not_found == std::vector<Uuid>{id_of(message)});
  }
  SECTION("a restart goes on with it") {
    reopen(false);
    CHECK(spooled(message.key) == found);
    CHECK(resubmission(accepted.resubmission.id) == accepted.resubmission);
    deliver(message, sg1, 2);
    CHECK(resubmission(accepted.resubmission.id).state == ResubmissionState::completed);
  }
}

TEST_CASE_METHOD(ResubmissionFixture,
                 "the same key answers the same request, another request under it is refused") {
  const auto message = accept();
  deliver(message);
  ResubmissionItem unknown;
  unknown.delivery_id = new_uuid(clock().now());
  const auto request = items("key", {item(message), unknown});
  const auto first = resubmit(request);
  CHECK(first.resubmission.not_found == std::vector<Uuid>{unknown.delivery_id});
  const bool restart = GENERATE(false, true);
  if (restart) reopen(false);
  const auto again = resubmit(request);
  CHECK(again.repeated);
  CHECK(again.resubmission == first.resubmission);
  CHECK(again.touched.empty());
  auto other = request;
  other.items->pop_back();
  CHECK(refused(other) == Fault::conflict);
  deliver(message, sg1, 2);
  CHECK(resubmit(request).resubmission.state == ResubmissionState::completed);
  CHECK_FALSE(spooled(message.key));
  CHECK(resubmit(items("key", {}, sg2)).resubmission.id != first.resubmission.id);
}

TEST_CASE_METHOD(ResubmissionFixture,
                 "a request that contradicts itself or comes from the wrong node is refused") {
  deliver(accept());
  auto request = window("key");
  request.by_agent = true;
  CHECK(refused(request) == Fault::conflict);
  request.node = "node2";
  request.term = 0;
  CHECK(refused(request) == Fault::conflict);
  request.node = "node1";
  request.term = 1;
  CHECK(refused(request) == Fault::conflict);
  request.term = 0;
  request.items = std::vector<ResubmissionItem>{item(accept())};
  CHECK(refused(request) == Fault::invalid);
  CHECK(refused(window("")) == Fault::invalid);
  CHECK(refused(window(std::string(2000, 'k'))) == Fault::invalid);
  auto backwards = window("key");
  backwards.from = backwards.until + 1s;
  CHECK(refused(backwards) == Fault::invalid);
  CHECK(refused(window("key", {"ccr1", "other"})) == Fault::not_found);
  CHECK(only_line().state == DeliveryState::delivered);
  CHECK(wait_value<std::vector<Resubmission>>([&](auto done) {
          store().resubmissions(10, std::move(done));
        }).empty());
}

TEST_CASE_METHOD(ResubmissionFixture,
                 "a window takes its lines but what is absent, and says whether it covers") {
  std::vector<Instant> times;
  std::vector<Message> messages;
  for (int i = 0; i < 6; ++i) {
    clock().advance(1min);
    times.push_back(clock().now());
    messages.push_back(accept({i % 2 == 0 ? "alice@example.test" : "bob@example.test"}));
    deliver(messages.back());
  }
  AbsentReport report;
  report.group = sg1;
  report.node = "node1";
  report.items = {item(messages[2])};
  wait_value<Done>([&](auto done) { store().mark_absent(report, std::move(done)); });
  auto request = window("key");
  request.from = times[1];
  request.until = times[5];
  SECTION("all of it") {
    const auto accepted = resubmit(request);
    CHECK(accepted.resubmission.matched == 3);
    CHECK(accepted.resubmission.complete);
    const auto all = lines();
    CHECK(all[0].state == DeliveryState::delivered);
    CHECK(all[1].state == DeliveryState::resubmitting);
    CHECK(all[2].state == DeliveryState::absent);
    CHECK(all[4].state == DeliveryState::resubmitting);
    CHECK(all[5].state == DeliveryState::delivered);
  }
  SECTION("one recipient, by mailbox in any case") {
    request.recipient = "Mailbox-Of-Bob@example.test";
    CHECK(resubmit(request).resubmission.matched == 2);
  }
  SECTION("one message id") {
    request.message_id = messages[3].message_id;
    const auto accepted = resubmit(request);
    CHECK(accepted.resubmission.matched == 1);
    CHECK(accepted.touched == std::vector<Uuid>{messages[3].key});
  }
  SECTION("one that reaches behind the coverage") {
    request.from = store().identity().store_created - 1us;
    const auto accepted = resubmit(request);
    CHECK_FALSE(accepted.resubmission.complete);
    CHECK(accepted.resubmission.covered_from == store().identity().store_created);
  }
  SECTION("one that holds nothing") {
    request.from = request.until;
    const auto accepted = resubmit(request);
    CHECK(accepted.resubmission.matched == 0);
    CHECK(accepted.resubmission.state == ResubmissionState::completed);
  }
}

TEST_CASE_METHOD(ResubmissionFixture, "evidence settles what is in doubt as present, on the active node") {
  const auto message = accept({"alice@example.test", "bob@example.test"});
  put_in_doubt(message);
  activate("node2", 1);
  clock().advance(1min);
  auto named = item(message, Outcome::present, 1);
  named.recipients = {"mailbox-of-alice@example.test"};
  const auto accepted = resubmit(items("present", {named}));
  CHECK(accepted.resubmission.matched == 1);
  CHECK(accepted.resubmission.resubmitted == 0);
  CHECK(accepted.resubmission.delivered == 1);
  CHECK(accepted.resubmission.state == ResubmissionState::completed);
  const auto all = lines();
  REQUIRE(all.size() == 2);
  CHECK(all[0].state == DeliveryState::in_doubt);
  CHECK(all[1].state == DeliveryState::delivered);
  CHECK(all[1].ever_delivered);
  CHECK(all[1].node == "node2");
  CHECK(all[1].term == 1);
  CHECK(all[1].attempt == 1);
  CHECK(all[1].delivered_at == clock().now());
  const auto left = spooled(message.key);
  REQUIRE(left);
  REQUIRE(left->entries.size() == 1);
  CHECK(left->entries.front().index == 1);
  CHECK(group().in_doubt == 1);
  named.recipients.clear();
  CHECK(resubmit(items("rest", {named})).resubmission.delivered == 1);
  CHECK_FALSE(spooled(message.key));
  CHECK(body(message.key).value() == body_of(message));
}

TEST_CASE_METHOD(ResubmissionFixture,
                 "evidence releases what is in doubt, and a first delivery that is refused bounces") {
  const auto message = accept();
  put_in_doubt(message);
  const auto accepted = resubmit(items("deliver", {item(message, Outcome::deliver, 1)}));
  CHECK(accepted.resubmission.resubmitted == 1);
  const auto entry = spooled(message.key)->entries.front();
  CHECK_FALSE(entry.in_doubt);
  CHECK_FALSE(entry.ever_delivered);
  CHECK(entry.resubmission == accepted.resubmission.id);
  CHECK(entry.next_attempt == clock().now());
  CHECK(only_line().state == DeliveryState::resubmitting);
  CHECK(group().in_doubt == 0);
  SECTION("delivered at last") {
    deliver(message, sg1, 2);
    CHECK(only_line().state == DeliveryState::delivered);
    CHECK(resubmission(accepted.resubmission.id).delivered == 1);
  }
  SECTION("refused") {
    record(outcome(message, {0}, Kind::refused, sg1, 2));
    CHECK(lines().empty());
    CHECK(resubmission(accepted.resubmission.id).failed == 1);
    CHECK(resubmission(accepted.resubmission.id).state == ResubmissionState::completed);
  }
  SECTION("cancelled, it is in doubt again") {
    cancel(accepted.resubmission.id);
    CHECK(only_line().state == DeliveryState::in_doubt);
    CHECK(spooled(message.key)->entries.front().in_doubt);
    CHECK(group().in_doubt == 1);
  }
  SECTION("in doubt again, another request takes it over and the first one ends") {
    put_in_doubt(message, sg1, 2);
    CHECK(resubmission(accepted.resubmission.id).state == ResubmissionState::running);
    SECTION("as present") {
      resubmit(items("there", {item(message, Outcome::present, 2)}));
      CHECK(resubmission(accepted.resubmission.id).delivered == 1);
      CHECK_FALSE(spooled(message.key));
    }
    SECTION("to be delivered") {
      const auto next = resubmit(items("again", {item(message, Outcome::deliver, 2)}));
      CHECK(resubmission(accepted.resubmission.id).cancelled == 1);
      CHECK(spooled(message.key)->entries.front().resubmission == next.resubmission.id);
    }
    CHECK(resubmission(accepted.resubmission.id).state == ResubmissionState::completed);
    CHECK(cancel(accepted.resubmission.id).empty());
  }
}

TEST_CASE_METHOD(ResubmissionFixture,
                 "evidence about another attempt, or about what is not in doubt, finds nothing") {
  const auto doubtful = accept();
  put_in_doubt(doubtful, sg1, 2);
  const auto delivered = accept();
  deliver(delivered);
  const auto before = lines();
  const auto accepted =
      resubmit(items("key", {item(doubtful, Outcome::present, 1), item(doubtful, Outcome::deliver, 3),
                             item(delivered, Outcome::present, 1)}));
  CHECK(accepted.resubmission.matched == 0);
  CHECK(accepted.resubmission.not_found.size() == 3);
  CHECK(lines() == before);
  CHECK(spooled(doubtful.key)->entries.front().in_doubt);
}

TEST_CASE_METHOD(ResubmissionFixture, "a delivery that is named twice is settled by the first word") {
  const auto message = accept({"alice@example.test", "bob@example.test"});
  put_in_doubt(message);
  auto alice = item(message, Outcome::present);
  alice.recipients = {"alice@example.test"};
  const auto accepted = resubmit(items("key", {alice, item(message), alice}));
  CHECK(accepted.resubmission.matched == 2);
  CHECK(accepted.resubmission.delivered == 1);
  CHECK(accepted.resubmission.resubmitted == 1);
  const auto left = spooled(message.key);
  REQUIRE(left);
  REQUIRE(left->entries.size() == 1);
  CHECK(left->entries.front().resubmission == accepted.resubmission.id);
  const auto all = lines();
  REQUIRE(all.size() == 2);
  CHECK(all[0].state == DeliveryState::resubmitting);
  CHECK(all[1].state == DeliveryState::delivered);
  CHECK(left->entries.front().line == all[0].delivered_at);
}

TEST_CASE_METHOD(ResubmissionFixture, "a part of a delivery is resubmitted in a line of its own") {
  const auto message = accept({"alice@example.test", "bob@example.test"});
  deliver(message);
  auto named = item(message);
  named.recipients = {"bob@example.test"};
  const auto accepted = resubmit(items("key", {named}));
  auto all = lines();
  REQUIRE(all.size() == 2);
  CHECK(all[0].state == DeliveryState::delivered);
  CHECK(all[1].state == DeliveryState::resubmitting);
  CHECK(all[1].recipients.front().index == 1);
  CHECK(spooled(message.key)->entries.front().line == all[1].delivered_at);
  deliver(message, sg1, 2);
  all = lines();
  REQUIRE(all.size() == 2);
  const auto found = wait_value<std::vector<Delivery>>(
      [&](auto done) { store().find(sg1, id_of(message), std::move(done)); });
  CHECK(found == all);
  CHECK(resubmission(accepted.resubmission.id).state == ResubmissionState::completed);
}

TEST_CASE_METHOD(ResubmissionFixture,
                 "resubmissions are listed newest first, and old finished ones are forgotten") {
  const auto first = resubmit(window("first")).resubmission;
  clock().advance(1min);
  const auto message = accept();
  deliver(message);
  const auto running = resubmit(items("running", {item(message)})).resubmission;
  const auto listed = [&] {
    return wait_value<std::vector<Resubmission>>(
        [&](auto done) { store().resubmissions(10, std::move(done)); });
  };
  REQUIRE(listed().size() == 2);
  CHECK(listed().front() == running);
  CHECK(listed().back() == first);
  clock().advance(24h * 8);
  const auto last = resubmit(window("last")).resubmission;
  const auto left = listed();
  REQUIRE(left.size() == 2);
  CHECK(left.front() == last);
  CHECK(left.back() == running);
  CHECK(resubmit(window("first")).resubmission.id != first.id);
  const auto unknown =
      wait_for<Resubmission>([&](auto done) { store().resubmission(first.id, std::move(done)); });
  CHECK(unknown.error().fault == Fault::not_found);
}
