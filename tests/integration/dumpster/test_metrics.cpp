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
