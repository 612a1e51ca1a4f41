#include "metrics/agent_metrics.hpp"

#include <catch2/catch.hpp>
#include <fstream>
#include <set>
#include <sstream>
#include <string>

namespace {

/// The metrics of a text exposition.
std::set<std::string> exposed(const std::string& text) {
  std::set<std::string> names;
  std::istringstream lines{text};
  std::string hash;
  std::string word;
  std::string name;
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words{line};
    if (words >> hash >> word >> name && word == "TYPE") names.insert(name);
  }
  return names;
}

/// The metrics of the agent in the README's table.
std::set<std::string> documented() {
  std::set<std::string> names;
  std::ifstream readme{METRICS_README};
  for (std::string line; std::getline(readme, line);) {
    if (line.starts_with("| `agent_")) names.insert(line.substr(3, line.find('`', 3) - 3));
  }
  return names;
}

}  // namespace

TEST_CASE("the agent's metrics are those that the README documents") {
  metrics::AgentMetrics counted{"ccr1"};
  counted.role(true, 3);
  counted.store_valid(true);
  counted.standing_aside(false);
  counted.hubs(1, 1, 0, 0);
  counted.replication("sg1", 1.5, 2);
  counted.ledger_entries(5);
  counted.round_took(0.1, 1000);
  CHECK(exposed(counted.exposition()) == documented());
}

TEST_CASE("the agent's lag is per storage group, its counters grow") {
  metrics::AgentMetrics counted{"ccr1"};
  counted.replication("sg1", 1.5, 2);
  counted.settled(1, 2);
  counted.settled(1, 0);
  const std::string text = counted.exposition();
  CHECK(text.find("agent_replication_lag_seconds{cluster=\"ccr1\",storage_group=\"sg1\"} 1.5") !=
        std::string::npos);
  CHECK(text.find("agent_in_doubt_settled_total{cluster=\"ccr1\",outcome=\"present\"} 2") !=
        std::string::npos);
}
