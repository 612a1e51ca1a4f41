#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "recovery/access/tokens.hpp"

using recovery::Action;
using recovery::denied;
using recovery::Identity;
using recovery::Role;

namespace {

recovery::TokensResult<recovery::Tokens> tokens_of(const std::string& text) {
  std::istringstream in{text};
  return recovery::read_tokens(in);
}

class TemporaryFile {
 public:
  explicit TemporaryFile(const std::string& text)
      : path(std::filesystem::temp_directory_path() / ("tokens-" + std::to_string(::getpid()))) {
    std::ofstream{path} << text;
  }
  ~TemporaryFile() { std::filesystem::remove(path); }
  const std::filesystem::path path;
};

}  // namespace

TEST_CASE("a token stands for its role and scope") {
  const auto tokens = tokens_of(
                          "# who may ask\n"
                          "\n"
                          "0123456789abcdef admin *   # the operator\n"
                          "agent-token-of-ccr1== agent ccr1\n"
                          "agent/token+of_node~2 agent ccr1/node2\r\n"
                          "a-reader-0123456789 read ccr2\n")
                          .value();
  CHECK(tokens.find("0123456789abcdef") == Identity{Role::admin, {"", ""}});
  CHECK(tokens.find("agent-token-of-ccr1==") == Identity{Role::agent, {"ccr1", ""}});
  CHECK(tokens.find("agent/token+of_node~2") == Identity{Role::agent, {"ccr1", "node2"}});
  CHECK(tokens.find("a-reader-0123456789") == Identity{Role::read, {"ccr2", ""}});
  for (const char* unknown : {"", "0123456789abcde", "0123456789abcdef ", "0123456789ABCDEF", "#"}) {
    CAPTURE(unknown);
    CHECK_FALSE(tokens.find(unknown));
  }
}

TEST_CASE("all faults of a tokens file come together, without a token") {
  const auto tokens = tokens_of(
      "0123456789abcdef admin *\n"
      "0123456789abcdef0 owner *\n"
      "0123456789abcdeg root *\n"
      "0123456789abcdeh admin\n"
      "0123456789abcdei admin ccr1/\n"
      "0123456789abcdei admin ccr1/a/b\n"
      "0123456789abcd,j admin *\n"
      "0123456789abcdef read *\n");
  REQUIRE(tokens.has_error());
  CHECK(tokens.error().text() ==
        "line 2: the role is not agent, admin or read\n"
        "line 3: the role is not agent, admin or read\n"
        "line 4: is not TOKEN ROLE SCOPE\n"
        "line 5: the scope is not CLUSTER, CLUSTER/NODE or *\n"
        "line 6: the scope is not CLUSTER, CLUSTER/NODE or *\n"
        "line 7: the token contains a character that RFC 6750 does not allow\n"
        "line 8: the same token stands in an earlier line\n");
}

TEST_CASE("the shortest token is known, so that an operator can be warned of one that could be guessed") {
  CHECK(tokens_of("0123456789abcdef admin *\nshort read *\n").value().shortest() == 5);
  CHECK(tokens_of("").value().shortest() == 0);
}

TEST_CASE("a tokens file that others can read is refused") {
  const TemporaryFile file{"0123456789abcdef admin *\n"};
  for (const ::mode_t mode : {0640U, 0604U, 0660U, 0610U}) {
    ::chmod(file.path.c_str(), mode);
    CAPTURE(mode);
    const auto tokens = recovery::load_tokens(file.path);
    REQUIRE(tokens.has_error());
    CHECK(tokens.error().text().find("0600") != std::string::npos);
  }
  ::chmod(file.path.c_str(), 0600);
  CHECK(recovery::load_tokens(file.path).has_value());
}

TEST_CASE("a tokens file that is missing, a folder or too large is refused") {
  CHECK(recovery::load_tokens("/nonexistent/tokens").has_error());
  CHECK(recovery::load_tokens("/tmp").has_error());
  CHECK(recovery::load_tokens("/dev/null").has_error());
  const TemporaryFile file{std::string(300'000, '#')};
  ::chmod(file.path.c_str(), 0600);
  CHECK(recovery::load_tokens(file.path).error().text().find("256 KiB") != std::string::npos);
}

TEST_CASE("each role may do what is its own") {
  const auto roles_for = [](Action action) {
    std::string who;
    if (may(Role::read, action)) who += "read ";
    if (may(Role::agent, action)) who += "agent ";
    if (may(Role::admin, action)) who += "admin";
    return who;
  };
  CHECK(roles_for(Action::look) == "read agent admin");
  CHECK(roles_for(Action::read_message) == "admin");
  CHECK(roles_for(Action::activate) == "agent admin");
  CHECK(roles_for(Action::jump_term) == "admin");
  CHECK(roles_for(Action::resubmit) == "agent admin");
  CHECK(roles_for(Action::report) == "agent admin");
  CHECK(roles_for(Action::cancel) == "admin");
  CHECK(roles_for(Action::administer) == "admin");
}

TEST_CASE("a scope bounds every role") {
  CHECK_FALSE(denied({Role::admin, {"ccr1", ""}}, Action::read_message, "ccr1"));
  CHECK(denied({Role::admin, {"ccr1", ""}}, Action::look, "ccr2"));
  CHECK(denied({Role::admin, {"ccr1", ""}}, Action::look, "ccr"));
  CHECK_FALSE(denied({Role::read, {"", ""}}, Action::look, "ccr2"));
  CHECK(denied({Role::read, {"", ""}}, Action::resubmit, "ccr2"));
}
