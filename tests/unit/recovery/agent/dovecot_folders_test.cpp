#include "recovery/agent/dovecot_folders.hpp"

#include <catch2/catch.hpp>

using namespace recovery::agent;

namespace {

using Folders = std::vector<std::string>;

}  // namespace

TEST_CASE("without a namespace of its own Dovecot has one that a star stands for") {
  CHECK(dovecot_folders("").value() == Folders{"*"});
}

TEST_CASE("a private namespace counts with the inbox and what is below its prefix") {
  CHECK(dovecot_folders("namespace inbox {\n  inbox = yes\n  prefix = \n  type = private\n}\n").value() ==
        Folders{"INBOX", "*"});
  CHECK(dovecot_folders(R"(
namespace inbox {
  inbox = yes
  mailbox Junk {
    autoexpunge = 30 days
    disabled = yes
  }
  prefix = INBOX.
  separator = .
  type = private
}
namespace {
  location = maildir:/srv/old/%u
  prefix = "Old Mail/"
}
)")
            .value() == Folders{"INBOX", "INBOX", "INBOX.*", "Old Mail", "Old Mail/*"});
}

TEST_CASE("folders of others and second views of mail do not count") {
  CHECK(dovecot_folders(R"(
namespace {
  location = maildir:/srv/%%u
  prefix = shared.%%u.
  type = shared
}
namespace {
  prefix = Public.
  type = public
}
namespace {
  location = virtual:~/virtual
  prefix = Virtual.
  type = private
}
namespace compat {
  alias_for = INBOX.
  prefix = Mail.
}
namespace gone {
  disabled = yes
  prefix = Gone.
}
namespace inbox {
  inbox = yes
  prefix =
  type = private
}
)")
            .value() == Folders{"INBOX", "*"});
}

TEST_CASE("namespaces whose folders cannot be named are an error, since nothing found would mean lost") {
  CHECK_FALSE(dovecot_folders("namespace {\n  prefix = %n.\n  type = private\n}\n").has_value());
  CHECK_FALSE(dovecot_folders("namespace {\n  prefix = Public.\n  type = public\n}\n").has_value());
}
