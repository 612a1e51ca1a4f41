#include "recovery/agent/cyrus_tools.hpp"

#include <catch2/catch.hpp>

#include "recovery/agent/dovecot_store.hpp"

using namespace recovery::agent;

TEST_CASE("Cyrus's folders belong to users by their internal names, which the tools want in their own form") {
  const auto folders = cyrus_folders_from(R"({
    "user.bob": {"mbtype": "e"},
    "user.bob.Archive.2026": {"mbtype": "e"},
    "example.test!user.Alice^B": {"mbtype": "e"},
    "shared.news": {"mbtype": "e"},
    "DELETED.user.bob.123": {"mbtype": "e"},
    "user.gone": {"mbtype": "d"}
  })",
                                          '/');
  REQUIRE(folders);
  REQUIRE(folders->size() == 2);
  CHECK(folders->at("bob") == std::vector<std::string>{"user/bob", "user/bob/Archive/2026"});
  CHECK(folders->at("alice.b@example.test") == std::vector<std::string>{"user/Alice.B@example.test"});
}

TEST_CASE("without unix names Cyrus's tools take dots") {
  const auto folders = cyrus_folders_from(R"({"user.bob.Archive": {"mbtype": "e"}})", '.');
  REQUIRE(folders);
  CHECK(folders->at("bob") == std::vector<std::string>{"user.bob.Archive"});
}

TEST_CASE("a list of another form is none") {
  CHECK_FALSE(cyrus_folders_from("user.bob 0 default", '/'));
  CHECK_FALSE(cyrus_folders_from("[]", '/'));
  CHECK_FALSE(cyrus_folders_from(R"({"user.bob": 1})", '/'));
}

TEST_CASE("what Cyrus's configuration says of its places") {
  const CyrusSettings settings = cyrus_settings_from(
      "configdirectory: /var/lib/cyrus\nmboxlist_db_path: \nunixhierarchysep: yes\ndefaultdomain: "
      "Example.test\n"
      "defaultpartition: main\npartition-main: /var/spool/cyrus/mail\n");
  CHECK(settings.mailbox_list == "/var/lib/cyrus/mailboxes.db");
  CHECK(settings.store == "/var/spool/cyrus/mail");
  CHECK(settings.separator == '/');
  CHECK(settings.default_domain == "example.test");
  CHECK(cyrus_settings_from("unixhierarchysep: no\n").separator == '.');
}

TEST_CASE("Dovecot's mail store is the part of its location that is the same for all users") {
  CHECK(dovecot_store_in("maildir:/srv/mail/%Lu", "") == "/srv/mail");
  CHECK(dovecot_store_in("mdbox:/srv/mail/%d/%n:INDEX=/x", "") == "/srv/mail");
  CHECK(dovecot_store_in("maildir:/srv/mail/box-%u/Maildir", "") == "/srv/mail");
  CHECK(dovecot_store_in("maildir:~/Maildir", "/home/vmail/%d/%n") == "/home/vmail");
  CHECK(dovecot_store_in("maildir:~/Maildir", "").empty());
  CHECK(dovecot_store_in("maildir:/%u", "").empty());
  CHECK(dovecot_store_in("", "").empty());
}
