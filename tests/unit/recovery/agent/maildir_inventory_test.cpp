#include "recovery/agent/maildir_inventory.hpp"

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

class Spool {
 public:
  Spool() {
    std::string name = fs::temp_directory_path() / "maildir-inventory-XXXXXX";
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    root_ = name;
  }
  ~Spool() { fs::remove_all(root_); }

  fs::path path() const { return root_ / "mail"; }

  void write(const std::string& file, const std::string& text) const {
    fs::create_directories((path() / file).parent_path());
    std::ofstream(path() / file, std::ios::binary) << text;
  }
  void message(const std::string& file, std::uint8_t number) const {
    write(file, "X-Dumpster-Id: hub/" + dumpster::to_string(id(number)) + "\r\n\r\nbody\r\n");
  }

  dumpster::Result<Inventory> take(const std::set<std::string>& mailboxes, Instant start = at(0)) const {
    return make_maildir_inventory(path())->take(mailboxes, start);
  }

 private:
  fs::path root_;
};

}  // namespace

TEST_CASE("messages in new and cur and in Maildir++ folders are counted with their copies") {
  Spool spool;
  spool.message("alice/new/1.host", 1);
  spool.message("alice/cur/2.host:2,S", 2);
  spool.message("alice/.Archive/cur/3.host:2,", 1);
  spool.message("alice/.Archive.2026/new/4.host", 3);
  spool.message("alice/tmp/5.host", 4);
  spool.message("bob/new/1.host", 5);
  const auto inventory = spool.take({"alice"});
  REQUIRE(inventory.has_value());
  CHECK(inventory->copies("alice", id(1)) == 2);
  CHECK(inventory->copies("alice", id(2)) == 1);
  CHECK(inventory->copies("alice", id(3)) == 1);
  CHECK(inventory->copies("alice", id(4)) == 0);
  CHECK(inventory->copies("bob", id(5)) == 0);
}

TEST_CASE("only the topmost id in a message's header counts, and the header is read within bounds") {
  Spool spool;
  const std::string field = "X-Dumpster-Id: hub/" + dumpster::to_string(id(2)) + "\n";
  spool.write("alice/new/1",
              "X-Dumpster-Id: hub/" + dumpster::to_string(id(1)) + "\n" + field + "\n" + field);
  spool.write("alice/new/2", "Subject: x\n\n" + field);
  spool.write("alice/new/3", "X-Long: " + std::string(70'000, 'x') + "\n" + field + "\n");
  const auto inventory = spool.take({"alice"});
  REQUIRE(inventory.has_value());
  CHECK(inventory->copies("alice", id(1)) == 1);
  CHECK(inventory->copies("alice", id(2)) == 0);
}

TEST_CASE("a message that moves from new to cur while it is looked at counts once") {
  Spool spool;
  spool.message("alice/new/1.host", 1);
  spool.message("alice/cur/1.host:2,S", 1);
  const auto inventory = spool.take({"alice"});
  REQUIRE(inventory.has_value());
  CHECK(inventory->copies("alice", id(1)) == 1);
}

TEST_CASE("a mailbox without a directory is empty where there are others") {
  Spool spool;
  spool.message("bob/new/1", 1);
  const auto inventory = spool.take({"alice"});
  REQUIRE(inventory.has_value());
  CHECK(inventory->size() == 0);
  CHECK(inventory->unknown().empty());
}

TEST_CASE("a path that is missing or is no directory is an error, not an empty inventory") {
  Spool spool;
  CHECK_FALSE(spool.take({"alice"}).has_value());
  std::ofstream(spool.path()) << "file";
  CHECK_FALSE(spool.take({"alice"}).has_value());
}

TEST_CASE("an empty path is a node to which nothing was ever replicated") {
  Spool spool;
  fs::create_directories(spool.path());
  const auto inventory = spool.take({"alice"});
  REQUIRE(inventory.has_value());
  CHECK(inventory->size() == 0);
}

TEST_CASE("a mailbox's name cannot lead out of the path") {
  Spool spool;
  spool.message("bob/new/1", 1);
  spool.message("../elsewhere/new/1", 2);
  const std::set<std::string> names{"../elsewhere",          "..", ".", "", "bob/../../elsewhere",
                                    std::string{"bob\0x", 5}};
  const auto inventory = spool.take(names);
  REQUIRE(inventory.has_value());
  CHECK(inventory->size() == 0);
  CHECK(inventory->unknown().size() == names.size());
}

TEST_CASE("a mailbox that is laid out in another way is unknown") {
  Spool spool;
  spool.message("alice/Maildir/new/1", 1);
  const auto inventory = spool.take({"alice"});
  REQUIRE(inventory.has_value());
  CHECK(inventory->unknown().contains("alice"));
}

TEST_CASE("mail that its server has compressed or encrypted is an error: its header cannot be read") {
  Spool spool;
  spool.message("alice/new/1", 1);
  spool.write("alice/new/2", "\x1f\x8b\x08 and so on");
  CHECK_FALSE(spool.take({"alice"}).has_value());
}

TEST_CASE("what cannot be read is an error") {
  if (::geteuid() == 0) {
    Spool spool;
    spool.message("alice/cur/1", 1);
    // For root a loop of links is as unreadable as a forbidden file is for others.
    fs::create_symlink("loop", spool.path() / "alice/cur/loop");
    CHECK_FALSE(spool.take({"alice"}).has_value());
    return;
  }
  Spool spool;
  spool.message("alice/cur/1", 1);
  fs::permissions(spool.path() / "alice/cur/1", fs::perms::none);
  CHECK_FALSE(spool.take({"alice"}).has_value());
}

TEST_CASE("what is no regular file is passed over") {
  Spool spool;
  spool.message("alice/new/1", 1);
  fs::create_directories(spool.path() / "alice/new/directory");
  REQUIRE(::mkfifo((spool.path() / "alice/new/fifo").c_str(), 0600) == 0);
  const auto inventory = spool.take({"alice"});
  REQUIRE(inventory.has_value());
  CHECK(inventory->copies("alice", id(1)) == 1);
}

TEST_CASE("later looks see what has come, gone, moved and been flagged since, and open no file twice") {
  Spool spool;
  spool.message("alice/new/1.host", 1);
  spool.message("alice/cur/2.host:2,", 2);
  const auto source = make_maildir_inventory(spool.path());
  REQUIRE(source->take({"alice"}, at(0))->size() == 2);
  // Were the file opened again, it would carry another id.
  spool.message("alice/new/1.host", 9);
  fs::rename(spool.path() / "alice/new/1.host", spool.path() / "alice/cur/1.host:2,S");
  fs::remove(spool.path() / "alice/cur/2.host:2,");
  spool.message("alice/new/3.host", 3);
  spool.message("alice/.Work/new/4.host", 4);
  const auto later = source->take({"alice"}, at(0));
  REQUIRE(later.has_value());
  CHECK(later->size() == 3);
  CHECK(later->copies("alice", id(1)) == 1);
  CHECK(later->copies("alice", id(3)) == 1);
  CHECK(later->copies("alice", id(4)) == 1);
}

TEST_CASE("what was too old for one window is read for a longer one") {
  Spool spool;
  spool.message("alice/new/1.host", 1);
  const auto source = make_maildir_inventory(spool.path());
  const Instant tomorrow =
      std::chrono::time_point_cast<dumpster::Duration>(std::chrono::system_clock::now()) +
      std::chrono::hours{48};
  CHECK(source->take({"alice"}, tomorrow)->size() == 0);
  CHECK(source->take({"alice"}, at(0))->copies("alice", id(1)) == 1);
}

TEST_CASE("all mailboxes can be named, and one that is not there is said to be nowhere") {
  Spool spool;
  spool.message("alice/new/1.host", 1);
  spool.message("bob/new/2.host", 2);
  spool.write(".dumpster-store", "marker\n");
  const auto source = make_maildir_inventory(spool.path());
  CHECK(source->mailboxes().value() == std::set<std::string>{"alice", "bob"});
  CHECK(source->take({"alice", "carol"}, at(0))->nowhere() == std::set<std::string>{"carol"});
}
