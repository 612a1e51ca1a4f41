#include "metrics/hub_metrics.hpp"

#include <catch2/catch.hpp>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

using metrics::HubMetrics;

namespace {

/// Everything is said once, so that every family has a sample.
void say_everything(HubMetrics& hub) {
  hub.storage_group("ccr1", "sg1", {3, 4096, 1, 1700000000.5, 1 << 30});
  hub.retained("ccr1", "sg1");
  hub.removed("ccr1", "sg1", "size", 2);
  hub.committed(std::chrono::milliseconds{2}, 7);
  hub.spool(1, 100, 2.5);
  hub.cluster_node("ccr1", "node1", true);
  hub.cluster_term("ccr1", 3);
  hub.agent_seen("ccr1", "node1", 1700000000);
  hub.recovery_query(200);
  hub.connection_opened("smtp");
  hub.message_received(100);
  hub.message_slowed();
  hub.rejected("syntax");
  hub.delivery_ended("ccr1/sg1", "delivered", 1);
  hub.delivery_took(std::chrono::milliseconds{5});
  hub.load_shedding(false);
}

std::map<std::string, std::string> types_of(const std::string& exposition) {
  std::map<std::string, std::string> types;
  std::istringstream lines{exposition};
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words{line};
    std::string hash, type, name, kind;
    words >> hash >> type >> name >> kind;
    if (hash == "#" && type == "TYPE") types[name] = kind;
  }
  return types;
}

std::map<std::string, std::string> documented_types() {
  std::map<std::string, std::string> types;
  std::ifstream readme{METRICS_README};
  for (std::string line; std::getline(readme, line);) {
    if (line.rfind("| `", 0) != 0 || line.rfind("| `agent_", 0) == 0) continue;
    const auto name_end = line.find('`', 3);
    const auto type_begin = line.find("| ", name_end) + 2;
    types[line.substr(3, name_end - 3)] = line.substr(type_begin, line.find(' ', type_begin) - type_begin);
  }
  return types;
}

}  // namespace

TEST_CASE("the documented table of metrics is what the exposition has") {
  HubMetrics hub;
  say_everything(hub);
  CHECK(documented_types() == types_of(hub.exposition()));
  CHECK(documented_types().size() == 34);
}

TEST_CASE("what was said stands in the exposition, with its labels") {
  HubMetrics hub;
  say_everything(hub);
  const auto text = hub.exposition();
  CHECK_THAT(text, Catch::Contains("dumpster_messages{cluster=\"ccr1\",storage_group=\"sg1\"} 3\n"));
  CHECK_THAT(text, Catch::Contains("reason=\"size\""));
  CHECK_THAT(text, Catch::Contains("cluster_active{cluster=\"ccr1\",node=\"node1\"} 1\n"));
  CHECK_THAT(text, Catch::Contains("relay_received_bytes_total 100\n"));
  CHECK_THAT(text, Catch::Contains("relay_slowed_messages_total 1\n"));
  CHECK_THAT(text, Catch::Contains("recovery_queries_total{code=\"200\"} 1\n"));
}

TEST_CASE("counters that nothing has happened to are there with zero, so that rates can be taken") {
  HubMetrics hub;
  hub.storage_group("ccr1", "sg1", {});
  CHECK_THAT(hub.exposition(), Catch::Contains("recovery_messages_total{result=\"failed\"} 0\n"));
  CHECK_THAT(hub.exposition(),
             Catch::Contains("dumpster_retained_total{cluster=\"ccr1\",storage_group=\"sg1\"} 0\n"));
}
