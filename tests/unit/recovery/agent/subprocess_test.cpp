#include "recovery/agent/subprocess.hpp"

#include <catch2/catch.hpp>

using namespace recovery::agent;

namespace {

Subprocess shell(const std::string& script) {
  Subprocess made;
  made.arguments = {"/bin/sh", "-c", script};
  made.deadline = std::chrono::seconds{30};
  return made;
}

}  // namespace

TEST_CASE("a program's status, output and complaint come back") {
  const auto outcome = run(shell("echo out; echo bad >&2; exit 7"));
  REQUIRE(outcome.has_value());
  CHECK(outcome->status == 7);
  CHECK(outcome->output == "out\n");
  CHECK(outcome->complaint == "bad\n");
}

TEST_CASE("more input and output than a pipe holds pass through") {
  Subprocess cat = shell("cat");
  cat.input = std::string(1 << 20, 'x') + "end";
  const auto outcome = run(cat);
  REQUIRE(outcome.has_value());
  CHECK(outcome->output == cat.input);
}

TEST_CASE("a program that writes more than is allowed is an error") {
  Subprocess endless = shell("yes");
  endless.largest_output = 1 << 16;
  CHECK_FALSE(run(endless).has_value());
}

TEST_CASE("what a program leaves running in the background is not waited for") {
  const auto begin = std::chrono::steady_clock::now();
  const auto outcome = run(shell("sleep 20 & echo done"));
  REQUIRE(outcome.has_value());
  CHECK(outcome->output == "done\n");
  CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds{15});
}

TEST_CASE("a program that is not there is an error") {
  CHECK_FALSE(run(Subprocess{{"/nonexistent/x"}, {}}).has_value());
}

TEST_CASE("a request to stop ends the program") {
  const std::atomic<bool> stop{true};
  Subprocess slow = shell("sleep 60");
  slow.stop = &stop;
  CHECK_FALSE(run(slow).has_value());
}
