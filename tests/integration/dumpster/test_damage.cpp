#include <fstream>
#include <set>
#include <sstream>

#include "damage_fixture.hpp"
#include "dumpster/repair.hpp"
#include "dumpster/verify.hpp"

using namespace dumpster;
using namespace dumpster::testing;
using rocks::Family;
namespace fs = std::filesystem;
namespace key = dumpster::rocks::key;

namespace {

class DamagedStore : public DamageFixture {
 public:
  Result<std::unique_ptr<Store>> open_again() { return try_open(); }

  DeliveryPage page() {
    DeliveryQuery query;
    query.group = sg1;
    query.until = Instant::max();
    query.limit = 10'000;
    return wait_value<DeliveryPage>([&](auto done) { store().list(query, std::move(done)); });
  }

  Message deliver_one(std::size_t size = 100) {
    clock().advance(1s);
    const auto message = accept({"alice@example.test"}, size);
    deliver(message);
    return message;
  }

  Repaired repair() {
    shut();
    auto repaired = repair_store(path());
    INFO((repaired.has_error() ? repaired.error().detail : ""));
    REQUIRE(repaired.has_value());
    CHECK(fs::exists(repaired->set_aside / "FORMAT"));
    reopen();
    return *repaired;
  }

  fs::path largest(const std::string& extension) {
    fs::path found;
    for (const auto& entry : fs::directory_iterator{path() / "db"}) {
      if (entry.path().extension() != extension) continue;
      if (found.empty() || entry.file_size() > fs::file_size(found)) found = entry.path();
    }
    REQUIRE_FALSE(found.empty());
    return found;
  }

  static void flip_byte(const fs::path& file, double place) {
    std::ostringstream content;
    content << std::ifstream{file, std::ios::binary}.rdbuf();
    auto bytes = content.str();
    bytes.at(static_cast<std::size_t>(static_cast<double>(bytes.size()) * place)) ^= 0x10;
    std::ofstream{file, std::ios::binary | std::ios::trunc} << bytes;
  }
};

std::vector<Uuid> messages_in(const std::vector<Delivery>& lines) {
  std::vector<Uuid> messages;
  for (const auto& line : lines)
    messages.push_back(line.message);
  return messages;
}

}  // namespace

TEST_CASE_METHOD(DamagedStore,
                 "a damaged delivery hides no other one, and the listing says where it stands") {
  const auto first = deliver_one();
  deliver_one();
  const auto damaged_at = lines().back().delivered_at;
  const auto third = deliver_one();
  CHECK_FALSE(page().damaged_until);
  damage(Family::lines, key::line(number_of_sg1, damaged_at));
  reopen();
  CHECK(messages_in(page().deliveries) == std::vector{first.key, third.key});
  CHECK(page().damaged_until == damaged_at + 1us);
  const auto fourth = deliver_one();
  CHECK(messages_in(lines()) == std::vector{first.key, third.key, fourth.key});
  // Retention goes on around it.
  clock().advance(24h * 8);
  retain();
  CHECK(lines().empty());
  CHECK(group().messages == 1);
}

TEST_CASE_METHOD(DamagedStore, "a damaged message or spool entry hides no other one from the start") {
  const auto first = accept();
  const auto second = accept();
  const auto third = accept();
  const auto family = GENERATE(Family::spool, Family::messages);
  damage(family, key::message(second.key));
  reopen();
  const auto all = wait_value<std::vector<SpooledMessage>>(
      [&](auto done) { store().scan_spool(std::nullopt, 100, std::move(done)); });
  REQUIRE(all.size() == 2);
  const std::set<Uuid> scanned{all.at(0).message.key, all.at(1).message.key};
  CHECK(scanned == std::set<Uuid>{first.key, third.key});
  const auto loaded =
      wait_for<std::optional<SpooledMessage>>([&](auto done) { store().load(second.key, std::move(done)); });
  REQUIRE(loaded.has_error());
  CHECK(loaded.error().fault == Fault::damaged);
  deliver(first);
  CHECK(lines().size() == 1);
}

TEST_CASE_METHOD(DamagedStore, "a damaged chunk of a body is refused and hides nothing else") {
  const auto damaged = accept({"alice@example.test"}, 150'000);
  const auto sound = accept({"alice@example.test"}, 150'000);
  damage(Family::bodies, key::chunk(damaged.key, 1));
  reopen();
  CHECK(body(damaged.key, 0).has_value());
  CHECK(body(damaged.key, 1).error().fault == Fault::damaged);
  CHECK(body(sound.key, 1).has_value());
  CHECK(spool_size() == 2);
}

TEST_CASE_METHOD(DamagedStore,
                 "a count of references that cannot be read keeps its message and nothing else") {
  const auto shared = accept({"alice@example.test", "bob@example.test"});
  record(outcome(shared, {0}, RecipientOutcome::Kind::delivered, sg1));
  record(outcome(shared, {1}, RecipientOutcome::Kind::delivered, sg2));
  const auto other = deliver_one();
  damage(Family::messages, key::references(shared.key));
  reopen();
  clock().advance(24h * 8);
  retain();
  CHECK(lines(sg1).empty());
  CHECK(lines(sg2).empty());
  CHECK(body(shared.key).has_value());
  CHECK(body(other.key).error().fault == Fault::not_found);
}

TEST_CASE_METHOD(DamagedStore, "a damaged small record is read from its other copy and written anew") {
  deliver_one();
  activate("node2", 7);
  const auto identity = store().identity();
  const auto name = GENERATE(as<std::string>{}, "hub", "cluster", "group");
  const auto damaged = name == "hub"       ? key::hub()
                       : name == "cluster" ? key::cluster("ccr1")
                                           : key::group(sg1);
  damage(Family::state, damaged);
  reopen();
  CHECK(store().identity().store_id == identity.store_id);
  CHECK(cluster().term == 7);
  CHECK(lines().size() == 1);
  shut();
  verify();
}

TEST_CASE_METHOD(DamagedStore, "a part of a file that cannot be read hides only itself") {
  for (int i = 0; i < 2000; ++i)
    deliver_one();
  shut();
  flip_byte(largest(".sst"), 0.3);
  metrics::HubMetrics counted;
  metrics = &counted;
  reopen();
  // Whatever the file holds, everything else is there, and goes on.
  const auto found = page();
  CHECK(found.deliveries.size() > 1500);
  for (int round = 0; round < 8; ++round) {
    shut();
    reopen();  // each leaves a file more, so that they are merged
    deliver_one();
  }
  retain();
  deliver_one();
  CHECK(store().writable());
  CHECK(store().times_reopened() == 0);
  const auto found_after = page();
  CHECK(found_after.deliveries.size() > 1500);
  const auto verified = wait_value<Verification>([&](auto done) { store().verify(std::move(done)); });
  CHECK_FALSE(verified.sound());
  store().show_gauges();
  CHECK(counted.exposition().find("\ndumpster_store_damaged_places 0\n") == std::string::npos);
  shut();
  metrics = nullptr;
}

TEST_CASE_METHOD(DamagedStore, "a store is verified while it works") {
  for (int i = 0; i < 50; ++i)
    deliver_one(3000);
  put_in_doubt(accept());
  const auto verified = wait_value<Verification>([&](auto done) { store().verify(std::move(done)); });
  CHECK(verified.faults.empty());
  CHECK(verified.lines == 51);
  CHECK(verified.spooled == 1);
  CHECK_FALSE(fs::exists(path() / "backing-up"));
}

TEST_CASE_METHOD(DamagedStore,
                 "a repair saves what can be read, and the store knows that it is another one") {
  activate("node2", 3);
  node = "node2";
  term = 3;
  const auto kept = deliver_one();
  const auto hidden = deliver_one();
  const auto damaged_at = lines().back().delivered_at;
  const auto again = deliver_one();
  ResubmissionItem item;
  item.delivery_id = delivery_id_of(again.key, "ccr1", "sg1");
  const auto running = resubmit(items("key", {item})).resubmission.id;
  const auto waiting = accept();
  const auto doubtful = accept();
  put_in_doubt(doubtful);
  const auto lost = accept();
  const auto identity = store().identity();
  damage(Family::lines, key::line(number_of_sg1, damaged_at));
  damage(Family::spool, key::message(lost.key));
  const auto repaired = repair();
  CHECK(repaired.damaged_places == 2);
  CHECK(messages_in(lines()) == std::vector{kept.key, again.key, doubtful.key});
  CHECK(store().identity().store_id != identity.store_id);
  CHECK(group().covered_from == store().identity().store_created);
  CHECK(cluster().term == 3);
  CHECK(resubmission(running).state == ResubmissionState::cancelled);
  // What may have been waiting waits again; whoever has it already will say so.
  CHECK(spool_size() == 4);
  CHECK(spooled(lost.key).has_value());
  CHECK(spooled(hidden.key).has_value());
  CHECK(spooled(waiting.key)->entries.front().from_backup);
  CHECK(spooled(doubtful.key)->entries.front().in_doubt);
  CHECK(body(kept.key).value() == body_of(kept));
  shut();
  verify();
}

TEST_CASE_METHOD(DamagedStore, "a spool entry that was lost is made again from its line in doubt") {
  const auto doubtful = accept();
  put_in_doubt(doubtful);
  damage(Family::spool, key::message(doubtful.key));
  repair();
  const auto entry = spooled(doubtful.key).value().entries.front();
  CHECK(entry.in_doubt);
  CHECK(entry.group == sg1);
  shut();
  verify();
}

TEST_CASE_METHOD(DamagedStore,
                 "a repair opens a store whose log is damaged, and takes what is behind the damage") {
  std::vector<Message> messages;
  for (int i = 0; i < 20; ++i)
    messages.push_back(accept({"alice@example.test"}, 5000));
  const auto image = path().parent_path() / "image";
  fs::copy(path(), image, fs::copy_options::recursive);
  shut();
  fs::remove_all(path());
  fs::rename(image, path());
  flip_byte(largest(".log"), 0.5);
  CHECK(try_open().error().fault == Fault::damaged);
  repair();
  // What stands behind the damage in the same block of 32 KiB goes with it.
  CHECK(spool_size() >= 12);
  CHECK(spooled(messages.front().key).has_value());
  CHECK(spooled(messages.back().key).has_value());
  shut();
  verify();
}

TEST_CASE_METHOD(DamagedStore, "a repair of a sound store loses nothing but its identity") {
  const auto shared = accept({"alice@example.test", "bob@example.test"}, 150'000);
  record(outcome(shared, {0}, RecipientOutcome::Kind::delivered, sg1));
  record(outcome(shared, {1}, RecipientOutcome::Kind::delivered, sg2));
  accept();
  const auto repaired = repair();
  CHECK(repaired.damaged_places == 0);
  CHECK(repaired.lost_messages == 0);
  CHECK(repaired.lost_lines == 0);
  CHECK(lines(sg1).size() == 1);
  CHECK(lines(sg2).size() == 1);
  for (std::uint32_t chunk = 0; chunk < 3; ++chunk)
    CHECK(body(shared.key, chunk).has_value());
  shut();
  verify();
}
