#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

#include "tests/unit/relay/directory/directory_of.hpp"

using relay::directory_of;

namespace {

std::string fault_of(const std::string& text) {
  const auto directory = directory_of(text);
  REQUIRE(directory.has_error());
  return directory.error().text();
}

}  // namespace

TEST_CASE("comments, blank lines, tabs and CRLF are taken as they come") {
  const auto directory = directory_of(
      "# recipients\r\n"
      "\r\n"
      "  alice@example.test\t\tccr1/sg1   # mailbox\r\n"
      "bob@example.test ccr1/sg2#near\n"
      "\"a#b\"@example.test ccr1/sg1\n"
      "last@example.test ccr1/sg1");
  REQUIRE(directory.has_value());
  for (const char* address :
       {"alice@example.test", "bob@example.test", "a#b@example.test", "last@example.test"}) {
    CAPTURE(address);
    CHECK(std::holds_alternative<std::vector<relay::Resolved>>((*directory)->find(address).value()));
  }
}

TEST_CASE("all faults are reported together with their lines") {
  const auto text = fault_of(
      "alice@example.test ccr1/sg1\n"
      "alice\n"
      "bob@example.test\n"
      "carol@example.test ccr9/sg1\n"
      "dave@example.test ccr1/sg9\n"
      "erin@example.test http://host\n"
      "ALICE@example.test ccr1/sg2\n"
      "frank@example.test =nobody\n"
      "grace@example.test ccr1/sg1 grace more\n"
      "@example.test ccr1/sg1 box\n"
      "henry@example.test =alice@example.test box\n"
      "ivan@example.test =\n"
      "judy@example.test ccr1\n");
  CHECK(text ==
        "line 2: \"alice\" is neither an address nor @DOMAIN nor postmaster\n"
        "line 3: has no second column: where does the mail go?\n"
        "line 4: there is no cluster \"ccr9\" in the configuration\n"
        "line 5: cluster \"ccr1\" has no storage group \"sg9\"\n"
        "line 6: \"http://host\" is not lmtp://HOST[:PORT] or smtp://HOST[:PORT], with ?tls=none, starttls "
        "or implicit at "
        "the most\n"
        "line 7: the same recipient stands in line 1\n"
        "line 8: the alias' target \"nobody\" is not an address\n"
        "line 9: has more than three columns\n"
        "line 10: a third column has no meaning for a whole domain\n"
        "line 11: a third column has no meaning for an alias\n"
        "line 12: the alias' target \"\" is not an address\n"
        "line 13: \"ccr1\" is neither CLUSTER/GROUP nor a next hop nor an alias (=ADDRESS)\n");
}

TEST_CASE("control characters and endless lines are faults") {
  CHECK(fault_of("alice@example.test ccr1/\x01sg1\n") == "line 1: contains a control character\n");
  CHECK(fault_of(std::string("alice@example.test\0 ccr1/sg1\n", 29)) ==
        "line 1: contains a control character\n");
  CHECK(fault_of("a@example.test ccr1/sg1 \"a\tb\"\n") == "line 1: contains a tab within quotes\n");
  CHECK(fault_of("a@example.test ccr1/sg1 \"a\tb\n") == "line 1: contains a tab within quotes\n");
  CHECK(fault_of("a@example.test ccr1/sg1\n" + std::string(70000, 'x')) == "line 2: longer than 64 KiB\n");
}

TEST_CASE("after a thousand faults only their number grows") {
  std::string text;
  for (int i = 0; i < 1500; ++i)
    text += "bad\n";
  const auto directory = directory_of(text);
  REQUIRE(directory.has_error());
  CHECK(directory.error().faults.size() == 1000);
  CHECK(directory.error().more == 500);
}

TEST_CASE("a recipients file that is missing or no file is said to be") {
  const auto missing = relay::load_file_directory("/nonexistent/recipients", relay::two_groups());
  REQUIRE(missing.has_error());
  CHECK(missing.error().text() == "/nonexistent/recipients does not exist or cannot be reached\n");
  const auto folder = relay::load_file_directory("/tmp", relay::two_groups());
  REQUIRE(folder.has_error());
  CHECK(folder.error().text() == "/tmp is not a file\n");
}

TEST_CASE("a recipients file of many lines is loaded and every line found") {
  const auto path = std::filesystem::temp_directory_path() / ("recipients-" + std::to_string(::getpid()));
  constexpr int lines = 100'000;
  {
    std::ofstream out{path};
    for (int i = 0; i < lines; ++i)
      out << "user" << i << "@example.test ccr1/sg" << 1 + i % 2 << '\n';
  }
  const auto directory = relay::load_file_directory(path, relay::two_groups());
  std::filesystem::remove(path);
  REQUIRE(directory.has_value());
  int found = 0;
  for (int i = 0; i < lines; ++i) {
    const auto lookup = (*directory)->find("user" + std::to_string(i) + "@example.test").value();
    if (std::holds_alternative<std::vector<relay::Resolved>>(lookup)) ++found;
  }
  CHECK(found == lines);
}
