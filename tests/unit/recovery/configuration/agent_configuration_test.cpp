#include "recovery/configuration/agent_configuration.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

using namespace recovery;
using namespace std::chrono_literals;

namespace {

/// A directory with a token file and an agent's file.
class Files {
 public:
  Files() {
    std::string name = std::filesystem::temp_directory_path() / "agent-configuration-XXXXXX";
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    directory_ = name;
    write("token", "secret\n");
    protect(0600);
  }
  ~Files() { std::filesystem::remove_all(directory_); }

  void protect(mode_t mode) const { ::chmod((directory_ / "token").c_str(), mode); }
  void write(const std::string& name, const std::string& text) const {
    std::ofstream(directory_ / name) << text;
  }

  std::string token_line() const { return "token_file = \"" + (directory_ / "token").string() + "\"\n"; }

  std::optional<AgentConfiguration> read(const std::string& text) {
    write("agent.toml", text);
    return read_agent_configuration(directory_ / "agent.toml", faults_);
  }

  /// The faults of the last reading as `LINE: sentence`.
  std::vector<std::string> faults() const {
    std::vector<std::string> all;
    for (const ConfigurationFault& fault : faults_)
      all.push_back(std::to_string(fault.line) + ": " + fault.sentence);
    return all;
  }

 private:
  std::filesystem::path directory_;
  std::vector<ConfigurationFault> faults_;
};

const std::string head =
    "cluster = \"ccr1\"\nnode = \"node2\"\nstate_dir = \"/var/lib/agent\"\n"
    "hubs = [\"http://127.0.0.1:8025\"]\n";
const std::string maildir = "[inventory]\ntype = \"maildir\"\npath = \"/var/mail\"\n";

}  // namespace

TEST_CASE("an agent's file without the optional keys has the defaults of the contract") {
  Files files;
  const auto agent = files.read(head + files.token_line() + maildir);
  CHECK(files.faults().empty());
  REQUIRE(agent);
  CHECK(agent->cluster == "ccr1");
  CHECK(agent->node == "node2");
  CHECK(agent->hubs == std::vector<std::string>{"http://127.0.0.1:8025"});
  CHECK(agent->token == "secret");
  CHECK(agent->lookback == 12h);
  CHECK(agent->margin == 5min);
  CHECK(agent->settle == 5s);
  CHECK(agent->poll == 2s);
  CHECK(agent->quiesce.empty());
  CHECK(agent->inventory.type == InventoryConfiguration::Type::maildir);
  CHECK(agent->inventory.path == "/var/mail");
}

TEST_CASE("all faults of an agent's file are told at once") {
  Files files;
  CHECK_FALSE(
      files.read("cluster = \"ccr1\"\nnode = 2\nstate_dir = \"/s\"\nhubs = [\"ftp://x\", \"http://a/b\"]\n" +
                 files.token_line() + "settle = \"5\"\nlook_back = \"1h\"\n" + maildir));
  CHECK(files.faults() ==
        std::vector<std::string>{
            "2: `node` must be a string, not an integer",
            "4: `hubs` has \"ftp://x\", which is not of the form http://HOST:PORT or https://HOST:PORT",
            "4: `hubs` has \"http://a/b\", which is not of the form http://HOST:PORT or https://HOST:PORT",
            "4: `hubs` must name at least one hub",
            "6: `settle` must be a time such as \"90s\" (us, ms, s, m, h, d) or 0",
            "7: `look_back` is not a known key",
        });
}

TEST_CASE("a token file that others can read is refused") {
  Files files;
  for (const mode_t mode : {0640, 0604, 0620}) {
    files.protect(mode);
    CHECK_FALSE(files.read(head + files.token_line() + maildir));
    REQUIRE(files.faults().size() == 1);
    CHECK(files.faults()[0].find("must not be open to its group or to others") != std::string::npos);
  }
}

TEST_CASE("a token file that is missing or empty is refused") {
  Files files;
  CHECK_FALSE(files.read(head + "token_file = \"/nonexistent/token\"\n" + maildir));
  CHECK(files.faults() == std::vector<std::string>{"5: the token file /nonexistent/token cannot be read"});
  files.write("token", "\nsecret\n");
  CHECK_FALSE(files.read(head + files.token_line() + maildir));
  CHECK(files.faults().size() == 1);
}

TEST_CASE("a hub that is named twice is a fault, with or without a slash at the end") {
  Files files;
  CHECK_FALSE(files.read(
      "cluster = \"c\"\nnode = \"n\"\nstate_dir = \"/s\"\nhubs = [\"http://a:1\", \"http://a:1/\"]\n" +
      files.token_line() + maildir));
  CHECK(files.faults() == std::vector<std::string>{"4: `hubs` names \"http://a:1\" twice"});
}

TEST_CASE("an agent's file without an inventory is refused with one fault") {
  Files files;
  CHECK_FALSE(files.read(head + files.token_line()));
  CHECK(files.faults() == std::vector<std::string>{"1: the table [inventory] is missing"});
}

TEST_CASE("an inventory of Dovecot needs no path, one of a command does") {
  Files files;
  const auto dovecot = files.read(head + files.token_line() + "[inventory]\ntype = \"dovecot\"\n");
  REQUIRE(dovecot);
  CHECK(dovecot->inventory.type == InventoryConfiguration::Type::dovecot);
  CHECK(dovecot->inventory.path.empty());

  const auto command =
      files.read(head + files.token_line() + "[inventory]\ntype = \"command\"\npath = \"/bin/list\"\n");
  REQUIRE(command);
  CHECK(command->inventory.type == InventoryConfiguration::Type::command);
  CHECK(command->inventory.path == "/bin/list");

  CHECK_FALSE(files.read(head + files.token_line() + "[inventory]\ntype = \"command\"\n"));
  CHECK(files.faults() == std::vector<std::string>{"6: `inventory.path` is missing"});
}

TEST_CASE("Cyrus needs no path, and the marker of a mail store is an absolute path") {
  Files files;
  const std::string cyrus = head + files.token_line() + "[inventory]\ntype = \"cyrus\"\n";
  const auto plain = files.read(cyrus);
  REQUIRE(plain);
  CHECK(plain->inventory.type == InventoryConfiguration::Type::cyrus);
  CHECK(plain->inventory.path.empty());
  CHECK(plain->inventory.marker.empty());
  CHECK(files.read(cyrus + "marker = \"/srv/mail/.marker\"\n")->inventory.marker == "/srv/mail/.marker");
  CHECK_FALSE(files.read(cyrus + "marker = \"here\"\n"));
}
