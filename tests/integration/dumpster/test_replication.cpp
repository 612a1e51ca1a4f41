#include "store_fixture.hpp"

using namespace dumpster;
using namespace dumpster::testing;
using Kind = RecipientOutcome::Kind;

namespace {

class ReplicationFixture : public StoreFixture {
 public:
  ReplicationFixture() {
    limits().truncate_replicated = true;
    reopen();
  }

  Result<Instant> report(Instant through, const std::string& reporter = "node2") {
    return wait_for<Instant>([&](auto done) {
      store().report_replicated({sg1, reporter, through}, std::move(done));
    });
  }

  /// A delivery; its time.
  Instant deliver_one() {
    clock().advance(1s);
    deliver(accept());
    return lines().back().delivered_at;
  }
};

}  // namespace

TEST_CASE_METHOD(ReplicationFixture,
                 "what the passive node has goes, the newest delivery too, and the coverage stays") {
  const auto first = deliver_one();
  const auto second = deliver_one();
  const auto covered_from = group().covered_from;
  CHECK(report(first).value() == first);
  CHECK(only_line().delivered_at == second);
  CHECK(report(second).value() == second);
  CHECK(lines().empty());
  CHECK(group().covered_from == covered_from);
  CHECK(group().messages == 0);
}

TEST_CASE_METHOD(ReplicationFixture, "reports are kept without being acted on while truncation is off") {
  limits().truncate_replicated = false;
  reopen();
  const auto first = deliver_one();
  CHECK(report(first).has_value());
  CHECK(lines().size() == 1);
  auto switched_on = limits();
  switched_on.truncate_replicated = true;
  wait_value<Done>([&](auto done) { store().set_limits(sg1, switched_on, std::move(done)); });
  retain();
  CHECK(lines().empty());
}

TEST_CASE_METHOD(ReplicationFixture,
                 "a report is durable, never goes backwards, and reaches no further than now") {
  const auto first = deliver_one();
  deliver_one();
  CHECK(report(first).value() == first);
  reopen(false);
  CHECK(report(first - 1s).value() == first);
  const auto now = snapshot();
  CHECK(report(now + 24h).value() == now);
  const auto later = deliver_one();
  retain();
  CHECK(only_line().delivered_at == later);
}

TEST_CASE_METHOD(ReplicationFixture,
                 "only nodes that are passive report, and an activation ends what they have said") {
  const auto first = deliver_one();
  CHECK(report(first, "node1").error().fault == Fault::conflict);
  CHECK(report(first, "node3").error().fault == Fault::not_found);
  CHECK(lines().size() == 1);
  wait_value<Done>([&](auto done) {
    auto off = limits();
    off.truncate_replicated = false;
    store().set_limits(sg1, off, std::move(done));
  });
  CHECK(report(first).has_value());
  activate("node2", 1);
  wait_value<Done>([&](auto done) { store().set_limits(sg1, limits(), std::move(done)); });
  retain();
  CHECK(lines().size() == 1);
  CHECK(report(first, "node2").error().fault == Fault::conflict);
  // Until the agent has finished with what was delivered before, it stays whatever the others say.
  CHECK(report(first, "node1").has_value());
  CHECK(lines().size() == 1);
  wait_value<Done>([&](auto done) { store().recovered("ccr1", "node2", 1, std::move(done)); });
  retain();
  CHECK(lines().empty());
}

TEST_CASE_METHOD(ReplicationFixture, "truncation waits for the slowest of all passive nodes") {
  shut();
  auto three = options();
  three.clusters.front().nodes = {"node1", "node2", "node3"};
  const auto opened = open_rocksdb_store(three);
  REQUIRE(opened.has_value());
  auto& store = **opened;
  std::vector<Instant> times;
  for (int i = 0; i < 3; ++i) {
    clock().advance(1s);
    auto made = new_message({"alice@example.test"}, 100);
    const auto message = made.message;
    wait_value<Done>([&](auto done) { store.accept(std::move(made), std::move(done)); });
    wait_value<AttemptRecorded>(
        [&](auto done) { store.record(outcome(message, {0}, Kind::delivered), std::move(done)); });
    times.push_back(clock().now());
  }
  const auto report_of = [&](const std::string& reporter, Instant through) {
    wait_value<Instant>([&](auto done) {
      store.report_replicated({sg1, reporter, through}, std::move(done));
    });
    return wait_value<StorageGroupState>([&](auto done) { store.storage_group_state(sg1, std::move(done)); })
        .messages;
  };
  CHECK(report_of("node2", times[2]) == 3);
  CHECK(report_of("node3", times[0]) == 2);
  CHECK(report_of("node3", times[1]) == 1);
  store.close();
}

TEST_CASE_METHOD(ReplicationFixture,
                 "what is in doubt, being resubmitted or refused stays, whatever was replicated") {
  const auto doubtful = accept();
  put_in_doubt(doubtful);
  const auto refused = accept();
  deliver(refused);
  resubmit(window("refused"));
  record(outcome(refused, {0}, Kind::refused, sg1, 2));
  const auto again = accept();
  deliver(again);
  ResubmissionItem item;
  item.delivery_id = delivery_id_of(again.key, "ccr1", "sg1");
  const auto running = resubmit(items("again", {item})).resubmission.id;
  deliver_one();
  CHECK(report(snapshot()).has_value());
  retain();
  const auto stayed = lines();
  REQUIRE(stayed.size() == 3);
  for (const auto& line : stayed)
    CHECK(line.state != DeliveryState::delivered);
  // Settled as it had been, it goes as well.
  wait_value<std::vector<Uuid>>([&](auto done) { store().cancel(running, std::move(done)); });
  retain();
  CHECK(lines().size() == 2);
}

TEST_CASE_METHOD(StoreFixture, "what goes by size or time without anybody's word is counted") {
  metrics::HubMetrics counted;
  metrics = &counted;
  limits().max_time = 1h;
  reopen();
  const auto unconfirmed = [&] {
    const std::string name = R"(dumpster_removed_unconfirmed_total{cluster="ccr1",storage_group="sg1"} )";
    store().show_gauges();
    const auto text = counted.exposition();
    return text.at(text.find(name) + name.size());
  };
  deliver(accept());
  wait_value<Instant>([&](auto done) {
    store().report_replicated({sg1, "node2", snapshot()}, std::move(done));
  });
  clock().advance(2h);
  retain();
  CHECK(unconfirmed() == '0');
  deliver(accept());
  clock().advance(2h);
  retain();
  CHECK(unconfirmed() == '1');
  deliver(accept());
  activate("node2", 1);
  wait_value<Done>([&](auto done) { store().recovered("ccr1", "node2", 1, std::move(done)); });
  clock().advance(2h);
  retain();
  CHECK(unconfirmed() == '1');
  node = "node2";
  term = 1;
  const auto absent = accept();
  deliver(absent);
  AbsentReport report;
  report.group = sg1;
  report.node = "node2";
  report.term = 1;
  report.items.emplace_back();
  report.items.back().delivery_id = delivery_id_of(absent.key, "ccr1", "sg1");
  wait_value<Done>([&](auto done) { store().mark_absent(report, std::move(done)); });
  clock().advance(2h);
  retain();
  CHECK(lines().empty());
  CHECK(unconfirmed() == '1');
  shut();
}
