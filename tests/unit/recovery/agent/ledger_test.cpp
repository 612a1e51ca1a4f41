#include "recovery/agent/ledger.hpp"

#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

#include "lines.hpp"

using namespace recovery::agent;
using namespace recovery::agent::test;
namespace fs = std::filesystem;

namespace {

const DumpsterName dumpster_name{"http://hub1", "sg1"};

class Directory {
 public:
  Directory() {
    std::string name = fs::temp_directory_path() / "agent-ledger-XXXXXX";
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path = name;
  }
  ~Directory() { fs::remove_all(path); }

  fs::path file() const { return path / "ledger"; }

  fs::path path;
};

Ledger::Entry entry(std::uint8_t number, const std::string& mailbox, std::uint32_t copies = 1) {
  return {dumpster_name, at(1'000 + number), mailbox, id(number), copies};
}

Watermark watermark(std::int64_t low) {
  Watermark made;
  made.low = at(low);
  made.cursor = at(low + 1);
  made.since = at(3);
  made.last_confirmed = at(4);
  made.evicted_until = at(5);
  made.unconfirmed = 6;
  return made;
}

Ledger& opened(LedgerStore& store, const std::string& marker = "m1") {
  return *store.open(marker).value();
}

}  // namespace

TEST_CASE("what was confirmed is there after a restart, with its watermarks") {
  const Directory directory;
  auto store = make_ledger_file(directory.path);
  opened(*store);
  store->confirm(entry(1, "alice", 2));
  store->confirm(entry(2, "bob"));
  store->set_watermark(dumpster_name, watermark(10));
  REQUIRE(store->save().has_value());
  store->confirm(entry(3, "alice"));
  REQUIRE(store->save().has_value());

  auto again = make_ledger_file(directory.path);
  const Ledger& ledger = opened(*again);
  CHECK(ledger.copies("alice", id(1)) == 2);
  CHECK(ledger.copies("bob", id(2)) == 1);
  CHECK(ledger.copies("alice", id(3)) == 1);
  CHECK(ledger.copies("bob", id(1)) == 0);
  CHECK(*ledger.watermark(dumpster_name) == watermark(10));
  CHECK(ledger.place_of("bob", id(2))->second == at(1'002));
}

TEST_CASE("what was not saved does not count after a restart") {
  const Directory directory;
  auto store = make_ledger_file(directory.path);
  opened(*store);
  store->confirm(entry(1, "alice"));
  auto again = make_ledger_file(directory.path);
  CHECK(opened(*again).size() == 0);
}

TEST_CASE("a ledger of another marker is void") {
  const Directory directory;
  auto store = make_ledger_file(directory.path);
  opened(*store);
  store->confirm(entry(1, "alice"));
  REQUIRE(store->save().has_value());
  CHECK(opened(*store, "m2").size() == 0);
  store->confirm(entry(2, "alice"));
  REQUIRE(store->save().has_value());
  auto again = make_ledger_file(directory.path);
  CHECK(opened(*again, "m1").size() == 0);
  CHECK(opened(*again, "m2").copies("alice", id(2)) == 1);
}

TEST_CASE("wherever a crash cuts the file, what is read is an earlier state, and writing goes on") {
  const Directory directory;
  auto store = make_ledger_file(directory.path);
  opened(*store);
  for (std::uint8_t number = 1; number <= 3; ++number) {
    store->confirm(entry(number, "alice"));
    REQUIRE(store->save().has_value());
  }
  std::ifstream file{directory.file(), std::ios::binary};
  const std::string whole{std::istreambuf_iterator<char>{file}, {}};
  for (std::size_t length = 0; length <= whole.size(); ++length) {
    std::ofstream{directory.file(), std::ios::binary | std::ios::trunc} << whole.substr(0, length);
    auto again = make_ledger_file(directory.path);
    const std::size_t entries = opened(*again).size();
    CHECK(entries <= 3);
    for (std::uint8_t number = 1; number <= 3; ++number)
      CHECK(opened(*again).copies("alice", id(number)) == (number <= entries ? 1 : 0));
    again->confirm(entry(9, "bob"));
    REQUIRE(again->save().has_value());
    auto later = make_ledger_file(directory.path);
    CHECK(opened(*later).size() == entries + 1);
  }
}

TEST_CASE("a flipped bit ends the reading: what stands behind it is not trusted") {
  const Directory directory;
  auto store = make_ledger_file(directory.path);
  opened(*store);
  store->confirm(entry(1, "alice"));
  REQUIRE(store->save().has_value());
  const auto first = fs::file_size(directory.file());
  store->confirm(entry(2, "alice"));
  REQUIRE(store->save().has_value());
  std::fstream file{directory.file(), std::ios::binary | std::ios::in | std::ios::out};
  file.seekp(static_cast<std::streamoff>(first) + 12);
  file.put('\x7f');
  file.close();
  auto again = make_ledger_file(directory.path);
  CHECK(opened(*again).size() == 1);
}

TEST_CASE("what another process has written is seen at the next opening") {
  const Directory directory;
  auto watching = make_ledger_file(directory.path);
  opened(*watching);
  watching->confirm(entry(1, "alice"));
  REQUIRE(watching->save().has_value());
  auto promoting = make_ledger_file(directory.path);
  opened(*promoting);
  promoting->confirm(entry(2, "bob"));
  REQUIRE(promoting->save().has_value());
  CHECK(opened(*watching).copies("bob", id(2)) == 1);
  watching->confirm(entry(3, "bob"));
  REQUIRE(watching->save().has_value());
  CHECK(opened(*promoting).size() == 3);
}

TEST_CASE("compaction forgets what is old, and of the rest the oldest over the limit") {
  const Directory directory;
  auto store = make_ledger_file(directory.path);
  opened(*store);
  for (std::uint8_t number = 1; number <= 100; ++number)
    store->confirm(entry(number, "alice"));
  store->set_watermark(dumpster_name, watermark(10));
  REQUIRE(store->save().has_value());
  const auto before = fs::file_size(directory.file());
  REQUIRE(store->compact({{dumpster_name, at(1'051)}}, 1'000).has_value());
  CHECK(fs::file_size(directory.file()) < before);
  auto again = make_ledger_file(directory.path);
  CHECK(opened(*again).size() == 50);
  CHECK(opened(*again).copies("alice", id(50)) == 0);
  CHECK(*opened(*again).watermark(dumpster_name) == watermark(10));
  REQUIRE(again->compact({}, 10).has_value());
  CHECK(opened(*again).size() == 10);
  CHECK(opened(*again).copies("alice", id(100)) == 1);
}
