#include "recovery/configuration/toml_reader.hpp"

#include <catch2/catch.hpp>

using namespace recovery;
using namespace std::chrono_literals;

namespace {

std::vector<std::string> sentences(const TomlDocument& document) {
  std::vector<std::string> all;
  for (const ConfigurationFault& fault : document.faults())
    all.push_back(to_string(fault));
  return all;
}

}  // namespace

TEST_CASE("a file without faults gives its values, and defaults for what it leaves out") {
  const TomlDocument document = TomlDocument::parse(R"(
name = "hub1"
threads = 4
tls = "starttls"
proxy = true
max_size = "18MiB"
off = 0
wait = "250ms"
networks = ["127.0.0.0/8", "::1/128"]
)",
                                                    "hub.toml");
  TomlTable root = document.root();
  CHECK(root.string("name", required) == "hub1");
  CHECK(root.string("other", "x") == "x");
  CHECK_FALSE(root.optional_string("smarthost"));
  CHECK(root.integer("threads", 0, {0, 64}) == 4);
  CHECK(root.word("tls", {"none", "starttls"}, "none") == "starttls");
  CHECK(root.boolean("proxy", false));
  CHECK(root.size("max_size", required) == 18U << 20);
  CHECK(root.size("off", 5U) == 0);
  CHECK_FALSE(root.optional_size("group_size"));
  CHECK(root.duration("wait", 1s) == 250ms);
  CHECK(root.duration("retry", 5s) == 5s);
  CHECK_FALSE(root.optional_duration("max_time"));
  CHECK(root.strings("networks", required) == std::vector<std::string>{"127.0.0.0/8", "::1/128"});
  root.close();
  CHECK(sentences(document).empty());
}

TEST_CASE("all faults of a file are reported at once, each with file and line") {
  const TomlDocument document = TomlDocument::parse(R"(name = 7
threads = 65

[dumpster]
max_size = "18MB"
mux_time = "7d"
)",
                                                    "hub.toml");
  TomlTable root = document.root();
  root.string("name", required);
  root.integer("threads", 0, {0, 64});
  root.string("data_dir", required);
  TomlTable dumpster = root.table("dumpster");
  CHECK(dumpster.size("max_size", 1U << 30) == 1U << 30);
  dumpster.duration("max_time", 168h);
  dumpster.close();
  root.close();
  CHECK(sentences(document) ==
        std::vector<std::string>{
            "hub.toml:1: `name` must be a string, not an integer",
            "hub.toml:1: `data_dir` is missing",
            "hub.toml:2: `threads` must be from 0 to 64, not 65",
            "hub.toml:5: `dumpster.max_size` must be a size such as \"18MiB\" (B, KiB, MiB, GiB, TiB) or 0",
            "hub.toml:6: `dumpster.mux_time` is not a known key",
        });
}

TEST_CASE("arrays of tables keep the order of the file, nested ones too") {
  const TomlDocument document = TomlDocument::parse(R"(
[[cluster]]
name = "ccr1"
  [[cluster.node]]
  name = "node1"
  [[cluster.node]]
  name = "node2"
  place = 3
[[cluster]]
name = "ccr2"
)",
                                                    "hub.toml");
  TomlTable root = document.root();
  std::vector<TomlTable> clusters = root.tables("cluster", 1);
  REQUIRE(clusters.size() == 2);
  CHECK(clusters[0].string("name", required) == "ccr1");
  std::vector<TomlTable> nodes = clusters[0].tables("node", 2);
  REQUIRE(nodes.size() == 2);
  CHECK(nodes[0].string("name", required) == "node1");
  CHECK(nodes[1].string("name", required) == "node2");
  CHECK(clusters[1].string("name", required) == "ccr2");
  CHECK(clusters[1].tables("node", 2).empty());
  for (TomlTable& node : nodes)
    node.close();
  for (TomlTable& cluster : clusters)
    cluster.close();
  root.close();
  CHECK(sentences(document) ==
        std::vector<std::string>{"hub.toml:8: `cluster.node.place` is not a known key",
                                 "hub.toml:9: [[cluster.node]] must be there at least 2 times"});
}

TEST_CASE("a syntax error is one fault with its line, and nothing is called missing besides") {
  const TomlDocument document = TomlDocument::parse("[hub]\nname = \n", "hub.toml");
  TomlTable root = document.root();
  TomlTable hub = root.table("hub", required);
  hub.string("name", required);
  hub.close();
  root.tables("cluster", 1);
  root.close();
  REQUIRE(document.faults().size() == 1);
  CHECK(document.faults()[0].line == 2);
  CHECK(document.faults()[0].sentence.starts_with("is not TOML: "));
}

TEST_CASE("a key that is there twice is a fault") {
  const TomlDocument document = TomlDocument::parse("a = 1\na = 2\n", "hub.toml");
  REQUIRE(document.faults().size() == 1);
  CHECK(document.faults()[0].line == 2);
}

TEST_CASE("a file that is not there is one fault without a line") {
  const TomlDocument document = TomlDocument::read("/nonexistent/hub.toml");
  document.root().string("name", required);
  CHECK(sentences(document) ==
        std::vector<std::string>{"/nonexistent/hub.toml: cannot be read: No such file or directory"});
}

TEST_CASE("a directory in place of a file is a fault") {
  REQUIRE(TomlDocument::read("/").faults().size() == 1);
}

TEST_CASE("a required table that is missing is one fault, not one for each of its keys") {
  const TomlDocument document = TomlDocument::parse("a = 1\n", "hub.toml");
  TomlTable root = document.root();
  TomlTable inventory = root.table("inventory", required);
  inventory.string("type", required);
  inventory.string("path", required);
  CHECK(sentences(document) == std::vector<std::string>{"hub.toml:1: the table [inventory] is missing"});
}

TEST_CASE("an optional table that is left out still misses its required keys") {
  const TomlDocument document = TomlDocument::parse("a = 1\n", "hub.toml");
  document.root().table("directory").string("path", required);
  CHECK(sentences(document) == std::vector<std::string>{"hub.toml:1: `directory.path` is missing"});
}

TEST_CASE("a scalar where a table belongs and a table where an array belongs are faults") {
  const TomlDocument document = TomlDocument::parse("hub = 1\nnets = [1, \"a\"]\n[listener]\n", "hub.toml");
  TomlTable root = document.root();
  root.table("hub", required).string("name", required);
  CHECK(root.strings("nets", required) == std::vector<std::string>{"a"});
  CHECK(root.tables("listener", 1).empty());
  CHECK(sentences(document) == std::vector<std::string>{
                                   "hub.toml:1: `hub` must be a table, not an integer",
                                   "hub.toml:2: `nets` must be an array of strings, not one with an integer",
                                   "hub.toml:3: `listener` must be written as [[listener]], not as a table",
                               });
}

TEST_CASE("a word outside of those allowed is a fault that names them") {
  const TomlDocument document = TomlDocument::parse("tls = \"ssl\"\nkind = 3\n", "hub.toml");
  TomlTable root = document.root();
  CHECK(root.word("tls", {"none", "starttls"}, "none") == "none");
  CHECK(root.word("kind", {"a", "b"}, "a") == "a");
  CHECK(sentences(document) ==
        std::vector<std::string>{"hub.toml:1: `tls` must be one of \"none\", \"starttls\", not \"ssl\"",
                                 "hub.toml:2: `kind` must be a string, not an integer"});
}

TEST_CASE("the reader's own faults stand at the line of the key they are about") {
  const TomlDocument document = TomlDocument::parse("a = 1\nkey = \"x\"\n", "hub.toml");
  document.root().fault("key", "`key` needs `certificate`");
  CHECK(sentences(document) == std::vector<std::string>{"hub.toml:2: `key` needs `certificate`"});
}

TEST_CASE("times outside of their range are faults") {
  const TomlDocument document = TomlDocument::parse("poll = \"1us\"\n", "agent.toml");
  CHECK(document.root().duration("poll", 2s, {100ms, 1h}) == 2s);
  CHECK(sentences(document) ==
        std::vector<std::string>{"agent.toml:1: `poll` must be from 100ms to 1h, not 1us"});
}
