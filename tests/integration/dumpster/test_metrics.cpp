#include "store_fixture.hpp"

using namespace dumpster;
using namespace dumpster::testing;
using Kind = RecipientOutcome::Kind;

namespace {

class MetricsFixture : public StoreFixture {
 public:
  ~MetricsFixture() { shut(); }

  /// Whether the exposition has the line now.
  bool shows(const std::string& line) {
    store().show_gauges();
    const auto text = counted.exposition();
    if (("\n" + text).find("\n" + line + "\n") != std::string::npos) return true;
    UNSCOPED_INFO(text);
    return false;
  }

  metrics::HubMetrics counted;
};

}  // namespace

TEST_CASE_METHOD(MetricsFixture, "the metrics say what the store holds and what it has removed") {
  metrics = &counted;
  limits().max_size = 1000;
  reopen();
  CHECK(shows(R"(dumpster_messages{cluster="ccr1",storage_group="sg1"} 0)"));
  CHECK(shows(R"(cluster_active{cluster="ccr1",node="node1"} 1)"));
  for (int i = 0; i < 5; ++i)
    deliver(accept({"alice@example.test"}, 300));
  put_in_doubt(accept({"alice@example.test"}, 100), sg2);
  CHECK(shows(R"(dumpster_messages{cluster="ccr1",storage_group="sg1"} 3)"));
  CHECK(shows(R"(dumpster_bytes{cluster="ccr1",storage_group="sg1"} 900)"));
  CHECK(shows(R"(dumpster_max_bytes{cluster="ccr1",storage_group="sg1"} 1000)"));
  CHECK(shows(R"(dumpster_retained_total{cluster="ccr1",storage_group="sg1"} 5)"));
  CHECK(shows(R"(dumpster_removed_total{cluster="ccr1",reason="size",storage_group="sg1"} 2)"));
  CHECK(shows(R"(dumpster_in_doubt{cluster="ccr1",storage_group="sg2"} 1)"));
  resubmit(window("all"));
  CHECK(shows(R"(recovery_resubmissions{state="running"} 1)"));
  activate("node2", 1, true);
  CHECK(shows(R"(cluster_active{cluster="ccr1",node="node2"} 1)"));
  CHECK(shows(R"(cluster_term{cluster="ccr1"} 1)"));
  CHECK(shows(R"(recovery_resubmissions{state="cancelled"} 1)"));
  CHECK(shows(R"(recovery_messages_total{result="cancelled"} 3)"));
  CHECK(shows("relay_spool_messages 1"));
}

TEST_CASE_METHOD(StoreFixture, "a group's traffic is counted, and known again after a restart") {
  const auto begun = clock().now();
  deliver(accept({"alice@example.test"}, 700));
  clock().advance(3h);
  const auto again = accept({"alice@example.test"}, 500);
  deliver(again);
  deliver(accept({"alice@example.test"}, 5000), sg2);
  snapshot();
  const auto check = [&] {
    const auto traffic = store().traffic(sg1).value();
    CHECK(traffic.since() == begun);
    REQUIRE(traffic.hours().size() == 2);
    CHECK(traffic.hours().front().bytes == 700);
    CHECK(traffic.hours().back().bytes == 500);
  };
  check();
  reopen();
  check();
  CHECK(store().traffic({"ccr1", "none"}).error().fault == Fault::not_found);
}

TEST_CASE_METHOD(StoreFixture, "a crash loses a minute of the traffic at the most") {
  deliver(accept({"alice@example.test"}, 700));
  retain();
  clock().advance(30s);
  deliver(accept({"alice@example.test"}, 300));
  retain();
  clock().advance(31s);
  retain();
  deliver(accept({"alice@example.test"}, 10));
  reopen(false);
  CHECK(store().traffic(sg1).value().hours().front().bytes == 1000);
}
