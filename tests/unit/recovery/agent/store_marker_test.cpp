#include "recovery/agent/store_marker.hpp"

#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

#include "fakes.hpp"

using namespace recovery::agent;
using namespace recovery::agent::test;
namespace fs = std::filesystem;

namespace {

/// A mail store in the file system.
class Store {
 public:
  Store() {
    std::string name = fs::temp_directory_path() / "agent-store-XXXXXX";
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    root_ = name;
    fs::create_directory(path());
    place = make_marker_file(path() / ".dumpster-store");
  }
  ~Store() { fs::remove_all(root_); }

  fs::path path() const { return root_ / "mail"; }
  void add_mail() const { fs::create_directories(path() / "alice" / "new"); }
  StoreStanding standing() const { return standing_of(place.get(), state).value(); }
  bool is_error() const { return standing_of(place.get(), state).has_error(); }
  void renew() { renew_marker(place.get(), state, at(1'000)); }

  State state;
  std::unique_ptr<MarkerPlace> place;

 private:
  fs::path root_;
};

}  // namespace

TEST_CASE("a store that never had a marker is met for the first time, and then is the node's own") {
  Store store;
  CHECK(store.standing() == StoreStanding::first);
  store.renew();
  CHECK(store.standing() == StoreStanding::own);
  store.add_mail();
  CHECK(store.standing() == StoreStanding::own);
}

TEST_CASE("a store that is not mounted is an error: its directory is missing, or empty without the marker") {
  Store store;
  store.renew();
  fs::remove_all(store.path());
  CHECK(store.is_error());
  fs::create_directory(store.path());
  CHECK(store.is_error());
  fs::create_directory(store.path() / "lost+found");
  CHECK(store.is_error());
}

TEST_CASE("a store with mail and another marker, or none, is a foreign one") {
  Store store;
  store.renew();
  store.add_mail();
  fs::remove(store.path() / ".dumpster-store");
  CHECK(store.standing() == StoreStanding::foreign);
  std::ofstream{store.path() / ".dumpster-store"} << "another\n";
  CHECK(store.standing() == StoreStanding::foreign);
  store.state.marker.clear();
  CHECK(store.standing() == StoreStanding::foreign);
}

TEST_CASE("a renewed marker makes what was known before foreign, also where it cannot be written") {
  Store store;
  store.add_mail();
  store.renew();
  const std::string before = store.state.marker;
  store.renew();
  CHECK(store.state.marker != before);
  CHECK(store.standing() == StoreStanding::own);
  const fs::path away = store.path().string() + ".away";
  fs::rename(store.path(), away);
  store.renew();
  CHECK(store.is_error());
  fs::rename(away, store.path());
  CHECK(store.standing() == StoreStanding::foreign);
}

TEST_CASE("no marker is put under a store that is not mounted") {
  Store store;
  store.add_mail();
  store.renew();
  fs::remove_all(store.path());
  fs::create_directory(store.path());
  store.renew();
  CHECK(fs::is_empty(store.path()));
}

TEST_CASE("without a place for a marker the store is unmarked") {
  CHECK(standing_of(nullptr, State{}).value() == StoreStanding::unmarked);
}
