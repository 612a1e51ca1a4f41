#include <boost/json/parse.hpp>
#include <catch2/catch.hpp>
#include <sstream>

#include "recovery/dumpsterctl/table.hpp"
#include "recovery/dumpsterctl/views.hpp"

using namespace recovery::dumpsterctl;

namespace {

boost::json::object parsed(const std::string& text) {
  return boost::json::parse(text).as_object();
}

std::size_t longest_line(const std::string& text) {
  std::size_t longest = 0;
  std::istringstream in{text};
  for (std::string line; std::getline(in, line);)
    longest = std::max(longest, line.size());
  return longest;
}

const std::string long_name(200, 'n');

const std::string status =
    R"({"hub":"hub1.example.test","version":"0.1.0","started_at":"2026-01-31T12:00:00.000001Z",
  "accepting":true,"writable":true,"spool":{"messages":3,"bytes":4096,"oldest":null},
  "destinations":[{"route":"ccr1/sg1","queued":2,"in_flight":1,"held_in_doubt":4,"last_error":"451 busy\u001b[2J"}],
  "clusters":[{"cluster":"ccr1","nodes":["node1","node2"],"active":"node2","term":7,"kind":"lossy","held":false,
    "agent_seen":null,"storage_groups":[{"name":"sg1","messages":12,"bytes":1288490188,"in_doubt":1,
    "covered_from":"2026-01-30T12:00:00.000000Z"}]}],
  "resubmissions":[{"id":"0192f5c4-7d1e-7a30-9f6b-3f1c2b7a9d10","state":"running","matched":9,"delivered":5,"failed":0}]})";

}  // namespace

TEST_CASE("a status is shown in tables") {
  CHECK(status_view(parsed(status)) ==
        "hub             hub1.example.test\n"
        "version         0.1.0\n"
        "started (UTC)   2026-01-31 12:00:00\n"
        "accepts mail    yes\n"
        "store writable  yes\n"
        "spool           3 messages, 4.0 KiB\n"
        "\n"
        "CLUSTER               ACTIVE                  TERM  KIND      AGENT SEEN (UTC)\n"
        "ccr1                  node2                      7  lossy     -\n"
        "\n"
        "STORAGE GROUP           MESSAGES        SIZE  IN DOUBT  COVERED FROM (UTC)\n"
        "ccr1/sg1                      12     1.2 GiB         1  2026-01-30 12:00:00\n"
        "\n"
        "DESTINATION                    QUEUED  IN FLIGHT  IN DOUBT  LAST ERROR\n"
        "ccr1/sg1                            2          1         4  451 busy?[2J\n"
        "\n"
        "RESUBMISSION                          STATE        MATCHED  DELIVERED   FAILED\n"
        "0192f5c4-7d1e-7a30-9f6b-3f1c2b7a9d10  running            9          5        0\n");
}

TEST_CASE("no line is longer than 80 columns, whatever the names") {
  auto document = parsed(status);
  document["hub"] = long_name;
  document["destinations"].as_array()[0].as_object()["route"] = long_name;
  document["destinations"].as_array()[0].as_object()["last_error"] = long_name;
  auto& cluster = document["clusters"].as_array()[0].as_object();
  for (const char* name : {"cluster", "active", "kind", "agent_seen"})
    cluster[name] = long_name;
  cluster["term"] = 9223372036854775807;
  CHECK(longest_line(status_view(document)) <= 80);
  CHECK(longest_line(cluster_view(cluster)) <= 80);
}

TEST_CASE("a hub counts as taking mail only when it says so") {
  CHECK(accepts_mail(parsed(status)));
  CHECK_FALSE(accepts_mail(parsed(R"({"accepting":false})")));
  CHECK_FALSE(accepts_mail(parsed("{}")));
  CHECK(status_view(parsed("{}")).find("accepts mail    NO\n") != std::string::npos);
}

TEST_CASE("sizes have a unit and instants no fraction") {
  CHECK(shown_size(0) == "0 B");
  CHECK(shown_size(1023) == "1023 B");
  CHECK(shown_size(1536) == "1.5 KiB");
  CHECK(shown_instant("2026-01-31T12:00:00.000001Z") == "2026-01-31 12:00:00");
  CHECK(shown_instant("-") == "-");
}

TEST_CASE("a cell is cut by characters, not by bytes") {
  Table table{{{"T", 3}}};
  table.add({"\xc3\xa4\xc3\xb6\xc3\xbc\xc3\x9f"});
  table.add({"\xc3\xa4\xc3\xb6\xc3\xbc"});
  CHECK(table.text() == "T\n\xc3\xa4\xc3\xb6~\n\xc3\xa4\xc3\xb6\xc3\xbc\n");
}
