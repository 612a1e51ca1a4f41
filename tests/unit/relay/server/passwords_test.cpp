#include "relay/server/passwords.hpp"

#include <unistd.h>

#include <catch2/catch.hpp>
#include <condition_variable>
#include <fstream>
#include <mutex>
#include <sstream>

#include "relay/server/authenticator.hpp"

using relay::Authenticator;
using relay::Passwords;
using relay::PasswordsFault;

namespace {

// "secret", with the least work that each method allows.
const std::string file =
    "# who may submit mail\n"
    "\n"
    "yes@example.test:$y$j75$abcdefgh$uMUXG79B2cFpoAYyDccUnsaH/aGTyBYMlnQidzyag01\n"
    "bcrypt:$2b$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a\n"
    "sha512:$6$rounds=1000$abcdefgh$nhYjN017qxiYztzyUpZtPnUQcnLy62KsunSLHNeLahp2EHPlAKmFFlrjEwSXGo2kgY5hR2."
    "peKEg2VGUqIJJu1\n";

Passwords good() {
  std::istringstream in{file};
  auto read = relay::read_passwords(in);
  REQUIRE(std::holds_alternative<Passwords>(read));
  return std::get<Passwords>(std::move(read));
}

std::vector<PasswordsFault> faults_of(const std::string& text) {
  std::istringstream in{text};
  auto read = relay::read_passwords(in);
  REQUIRE(std::holds_alternative<std::vector<PasswordsFault>>(read));
  return std::get<std::vector<PasswordsFault>>(std::move(read));
}

/// What an authenticator says, waited for.
class Answer {
 public:
  dumpster::Completion<Authenticator::Verdict> completion() {
    return [this](dumpster::Result<Authenticator::Verdict> verdict) {
      const std::lock_guard lock{mutex_};
      verdict_ = *verdict;
      there_.notify_all();
    };
  }
  Authenticator::Verdict wait() {
    std::unique_lock lock{mutex_};
    REQUIRE(there_.wait_for(lock, std::chrono::seconds{30}, [this] { return verdict_.has_value(); }));
    return *verdict_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable there_;
  std::optional<Authenticator::Verdict> verdict_;
};

}  // namespace

TEST_CASE("yescrypt, bcrypt and SHA-512 hashes are matched by their password alone") {
  const auto passwords = good();
  CHECK(passwords.users() == 3);
  for (const std::string user : {"yes@example.test", "bcrypt", "sha512"}) {
    INFO(user);
    CHECK(passwords.match(user, "secret"));
    CHECK_FALSE(passwords.match(user, "Secret"));
    CHECK_FALSE(passwords.match(user, ""));
  }
  CHECK_FALSE(passwords.match("nobody", "secret"));
  CHECK_FALSE(Passwords{}.match("nobody", "secret"));
}

TEST_CASE("weak hashes, passwords in the clear and users twice are faults, all told with their lines") {
  const auto faults = faults_of(
      "one:$1$abcdefgh$irWbblnpmw.5z7wgBnprh0\ntwo:secret\n:$6$abcdefgh$x\nfour\n"
      "bcrypt:$2b$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a\n"
      "bcrypt:$2b$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a\nseven:*\neight:!$6$a$b\n");
  std::vector<std::size_t> lines;
  for (const auto& fault : faults)
    lines.push_back(fault.line);
  CHECK(lines == std::vector<std::size_t>{1, 2, 3, 4, 6, 7, 8});
}

TEST_CASE("a password file that others can read, or that is not there, is refused") {
  const auto path =
      std::filesystem::temp_directory_path() / ("relay-passwords-" + std::to_string(::getpid()));
  std::ofstream{path} << file;
  using std::filesystem::perms;
  const auto usable = [&](perms permissions) {
    std::filesystem::permissions(path, permissions);
    return std::holds_alternative<Passwords>(relay::load_passwords(path));
  };
  CHECK(usable(perms::owner_read | perms::owner_write));
  CHECK(usable(perms::owner_read | perms::owner_write | perms::group_read));
  CHECK_FALSE(usable(perms::owner_read | perms::others_read));
  CHECK_FALSE(usable(perms::owner_read | perms::group_write));
  std::filesystem::remove(path);
  CHECK(std::holds_alternative<std::vector<PasswordsFault>>(relay::load_passwords(path)));
}

TEST_CASE("passwords are checked on another thread") {
  Authenticator authenticator;
  const auto passwords = std::make_shared<const Passwords>(good());
  Answer right;
  Answer wrong;
  authenticator.check(passwords, "bcrypt", "secret", right.completion());
  authenticator.check(passwords, "bcrypt", "wrong", wrong.completion());
  CHECK(right.wait() == Authenticator::Verdict::accepted);
  CHECK(wrong.wait() == Authenticator::Verdict::refused);
}

TEST_CASE("more passwords than may wait are not checked, and nobody waits for ever") {
  const auto passwords = std::make_shared<const Passwords>(good());
  std::vector<Answer> answers(20);
  Answer none;
  {
    Authenticator authenticator{4};
    Authenticator closed{0};
    closed.check(passwords, "bcrypt", "secret", none.completion());
    for (auto& answer : answers)
      authenticator.check(passwords, "bcrypt", "secret", answer.completion());
  }
  CHECK(none.wait() == Authenticator::Verdict::busy);
  std::size_t busy = 0;
  for (auto& answer : answers)
    busy += answer.wait() == Authenticator::Verdict::busy ? 1 : 0;
  CHECK(busy > 0);
}
