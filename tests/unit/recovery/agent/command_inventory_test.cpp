#include "recovery/agent/command_inventory.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

#include "lines.hpp"

using namespace recovery::agent;
using namespace recovery::agent::test;
namespace fs = std::filesystem;

namespace {

/// A program of an administrator.
class Program {
 public:
  explicit Program(const std::string& script) {
    std::string name = fs::temp_directory_path() / "inventory-program-XXXXXX";
    const int fd = ::mkstemp(name.data());
    REQUIRE(fd >= 0);
    ::close(fd);
    path_ = name;
    std::ofstream(path_) << "#!/bin/sh\n" << script << "\n";
    ::chmod(path_.c_str(), 0700);
  }
  ~Program() { fs::remove(path_); }

  dumpster::Result<Inventory> take(const std::set<std::string>& mailboxes,
                                   std::chrono::milliseconds deadline = std::chrono::seconds{20}) const {
    return make_command_inventory(path_, nullptr, deadline)->take(mailboxes, at(1'000'000));
  }

 private:
  fs::path path_;
};

}  // namespace

TEST_CASE(
    "the program reads the mailboxes, has the start of the window as argument, and its lines are counted") {
  const std::string first = dumpster::to_string(id(1));
  const Program program(
      "[ \"$1\" = 1970-01-12T13:46:40.000000Z ] || exit 9\n"
      "while read -r box; do printf '%s\\thub/" +
      first +
      "\\n' \"$box\"; done\n"
      "printf 'bob\\tnonsense\\n'");
  const auto inventory = program.take({"alice", "bob"});
  REQUIRE(inventory.has_value());
  CHECK(inventory->copies("alice", id(1)) == 1);
  CHECK(inventory->copies("bob", id(1)) == 1);
  CHECK(inventory->size() == 2);
}

TEST_CASE("a program that fails gives no inventory") {
  CHECK_FALSE(Program("exit 1").take({"alice"}).has_value());
  CHECK_FALSE(Program("kill -9 $$").take({"alice"}).has_value());
  CHECK_FALSE(Program("printf 'alice hub/x\\n'").take({"alice"}).has_value());
  CHECK_FALSE(Program("printf 'carol\\thub/x\\n'").take({"alice"}).has_value());
  CHECK_FALSE(Program("printf 'alice\\thub'").take({"alice"}).has_value());
  CHECK_FALSE(make_command_inventory("/nonexistent/program", nullptr)->take({"alice"}, at(0)).has_value());
}

TEST_CASE("a program that does not end is ended, and gives no inventory") {
  const auto begin = std::chrono::steady_clock::now();
  CHECK_FALSE(Program("sleep 60 & sleep 60").take({"alice"}, std::chrono::milliseconds{100}).has_value());
  CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds{20});
}

TEST_CASE("a mailbox that cannot be written on a line is unknown") {
  const auto inventory = Program("cat >/dev/null").take({"a\nb", "c\td", "alice"});
  REQUIRE(inventory.has_value());
  CHECK(inventory->unknown().size() == 2);
}
