#include "recovery/agent/state.hpp"

#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <thread>

#include "lines.hpp"

using namespace recovery::agent;
using namespace recovery::agent::test;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

State full_state() {
  State state;
  state.cluster = "ccr1";
  state.node = "node2";
  state.highest_term = 12;
  state.nodes = {"node1", "node2"};
  state.role = Role::active;
  state.active_term = 11;
  state.active_kind = dumpster::ActivationKind::lossless;
  state.active_started = at(999);
  state.active_since["http://hub1"] = at(1'001);
  state.marker = "m";
  PendingPromote promote;
  promote.term = 11;
  promote.kind = dumpster::ActivationKind::lossless;
  promote.started = at(1'000);
  promote.hubs["http://hub1"].activated = true;
  promote.hubs["http://hub2"] = HubProgress{};
  promote.hubs["http://hub3"].given_up = true;
  state.promote = promote;
  PendingOrder order;
  order.hub = "http://hub1";
  order.group = "sg1";
  order.term = 11;
  order.key = "k";
  order.body = "{\"key\": \"k\", \"deliveries\": []}";
  state.orders.push_back(order);
  state.hubs["http://hub1"].store_id = "s";
  state.hubs["http://hub1"].sequence = 9;
  state.hubs["http://hub2"].lost_before = at(77);
  state.hubs["http://hub2"].retention = 36h;
  state.never_asked["http://hub3"] = {at(88), 36h};
  return state;
}

class Directory {
 public:
  Directory() {
    std::string name = fs::temp_directory_path() / "agent-state-XXXXXX";
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    root_ = name;
  }
  ~Directory() { fs::remove_all(root_); }
  std::string path() const { return root_ / "state"; }

  auto open(const std::string& node = "node2") const { return open_state(path(), "ccr1", node, 50ms); }

 private:
  fs::path root_;
};

}  // namespace

TEST_CASE("a state is read as it was written") {
  const auto read = state_from_json(to_json(full_state()));
  REQUIRE(read.has_value());
  CHECK(*read == full_state());
}

TEST_CASE("what is kept is there again, and a directory that is new has a fresh state") {
  const Directory directory;
  {
    const auto store = directory.open();
    REQUIRE(store.has_value());
    const auto fresh = (*store)->load();
    REQUIRE(fresh.has_value());
    CHECK(fresh->highest_term == 0);
    CHECK(fresh->cluster == "ccr1");
    REQUIRE((*store)->save(full_state()).has_value());
  }
  const auto again = directory.open();
  REQUIRE(again.has_value());
  const auto state = (*again)->load();
  REQUIRE(state.has_value());
  CHECK(*state == full_state());
}

TEST_CASE("operations exclude each other") {
  const Directory directory;
  auto first = directory.open();
  REQUIRE(first.has_value());
  CHECK_FALSE(directory.open().has_value());
  first->reset();
  CHECK(directory.open().has_value());
}

TEST_CASE("a round of watch gives way to an operation that waits, and none begins while one is under way") {
  const Directory directory;
  auto round = open_state_for_round(directory.path(), "ccr1", "node2");
  REQUIRE(round.has_value());
  REQUIRE(*round != nullptr);
  CHECK_FALSE(operation_waits(directory.path()));
  std::thread operation{[&] { CHECK(open_state(directory.path(), "ccr1", "node2", 10s).has_value()); }};
  while (!operation_waits(directory.path()))
    std::this_thread::yield();
  round->reset();
  operation.join();
  const auto under_way = directory.open();
  REQUIRE(under_way.has_value());
  const auto next = open_state_for_round(directory.path(), "ccr1", "node2");
  REQUIRE(next.has_value());
  CHECK(*next == nullptr);
}

TEST_CASE("whoever only looks waits for the round of watch, and does not end it") {
  const Directory directory;
  auto round = open_state_for_round(directory.path(), "ccr1", "node2");
  REQUIRE(round.has_value());
  REQUIRE(*round != nullptr);
  CHECK_FALSE(open_state_to_look(directory.path(), "ccr1", "node2", 50ms).has_value());
  std::thread look{[&] { CHECK(open_state_to_look(directory.path(), "ccr1", "node2", 10s).has_value()); }};
  CHECK_FALSE(operation_waits(directory.path()));
  round->reset();
  look.join();
}

TEST_CASE("a state of the first format is read, without marker and activity") {
  std::string older = to_json(full_state());
  older.replace(older.find("\"format\":2"), 10, "\"format\":1");
  const auto state = state_from_json(older);
  REQUIRE(state.has_value());
  CHECK(state->marker.empty());
  CHECK(state->highest_term == 12);
}

TEST_CASE("a damaged state is an error, not a fresh one") {
  const Directory directory;
  const auto store = directory.open();
  REQUIRE(store.has_value());
  const std::string whole = to_json(full_state());
  for (const std::string& text : {std::string{}, std::string{"{}"}, whole.substr(0, whole.size() / 2),
                                  whole + "}", std::string{"[1]"}}) {
    std::ofstream(directory.path() + "/state.json", std::ios::trunc) << text;
    CAPTURE(text);
    CHECK_FALSE((*store)->load().has_value());
  }
}

TEST_CASE("the state of another node or of a newer version is refused") {
  const Directory directory;
  const auto store = directory.open("node1");
  REQUIRE(store.has_value());
  REQUIRE((*store)->save(full_state()).has_value());
  CHECK_FALSE((*store)->load().has_value());
  std::string newer = to_json(full_state());
  newer.replace(newer.find("\"format\":2"), 10, "\"format\":3");
  CHECK_FALSE(state_from_json(newer).has_value());
}

TEST_CASE("a half-written file beside the state does no harm") {
  const Directory directory;
  const auto store = directory.open();
  REQUIRE(store.has_value());
  REQUIRE((*store)->save(full_state()).has_value());
  std::ofstream(directory.path() + "/state.json.new") << "{\"form";
  const auto state = (*store)->load();
  REQUIRE(state.has_value());
  CHECK(*state == full_state());
}
