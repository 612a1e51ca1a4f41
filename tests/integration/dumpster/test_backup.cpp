#include <atomic>
#include <fstream>
#include <thread>

#include "dumpster/verify.hpp"
#include "store_fixture.hpp"

using namespace dumpster;
using namespace dumpster::testing;
namespace fs = std::filesystem;

namespace {

class BackupFixture : public StoreFixture {
 public:
  fs::path target() const { return path().parent_path() / "backup"; }

  Result<BackupMade> back_up() {
    return wait_for<BackupMade>([&](auto done) { store().backup(target(), std::move(done)); });
  }

  /// The hub's folder is lost, and the backup put in its place.
  void restore() {
    shut();
    fs::remove_all(path());
    fs::copy(target(), path(), fs::copy_options::recursive);
    reopen();
  }

  const SpoolEntry& entry(const Uuid& message) {
    kept_ = spooled(message);
    REQUIRE(kept_);
    REQUIRE(kept_->entries.size() == 1);
    return kept_->entries.front();
  }

 private:
  std::optional<SpooledMessage> kept_;
};

}  // namespace

TEST_CASE_METHOD(BackupFixture, "a backup is a sound store that says what it is") {
  deliver(accept({"alice@example.test"}, 150'000));
  accept();
  const auto made = back_up();
  REQUIRE(made.has_value());
  CHECK(made->files > 0);
  CHECK(made->bytes > 0);
  const auto verified = verify_store(target());
  REQUIRE(verified.has_value());
  CHECK(verified->faults.empty());
  CHECK(verified->lines == 1);
  CHECK(verified->spooled == 1);
  CHECK_FALSE(fs::exists(path() / "backing-up"));
  CHECK((fs::status(target()).permissions() & fs::perms::group_all) == fs::perms::none);
}

TEST_CASE_METHOD(BackupFixture, "a backup that is made while mail flows holds a whole state of it") {
  std::atomic<bool> stop{false};
  std::thread mail{[&] {
    while (!stop)
      deliver(accept({"alice@example.test"}, 70'000));
  }};
  for (int round = 0; round < 5; ++round) {
    REQUIRE(back_up().has_value());
    const auto verified = verify_store(target());
    REQUIRE(verified.has_value());
    CHECK(verified->faults.empty());
    fs::remove_all(target());
  }
  stop = true;
  mail.join();
}

TEST_CASE_METHOD(BackupFixture, "a restored store is another one that covers nothing from before") {
  deliver(accept());
  const auto before = store().identity();
  REQUIRE(back_up().has_value());
  clock().advance(1h);
  deliver(accept());
  restore();
  const auto after = store().identity();
  CHECK(after.store_id != before.store_id);
  CHECK(after.store_created >= clock().now());
  CHECK(group().covered_from == after.store_created);
  CHECK(lines().size() == 1);
  reopen();
  CHECK(store().identity().store_id == after.store_id);
}

TEST_CASE_METHOD(BackupFixture, "what waits in a restored spool may have been delivered, wherever it goes") {
  const auto fresh = accept();
  const auto deferred = accept({"carol@elsewhere.test"});
  record(outcome(deferred, {0}, RecipientOutcome::Kind::deferred, std::nullopt));
  const auto doubtful = accept();
  put_in_doubt(doubtful);
  REQUIRE(back_up().has_value());
  clock().advance(1h);
  restore();
  CHECK_FALSE(store().identity().clean_shutdown);
  CHECK(entry(fresh.key).from_backup);
  CHECK(entry(fresh.key).trying);
  CHECK(entry(deferred.key).from_backup);
  CHECK(entry(deferred.key).trying);
  CHECK(entry(doubtful.key).from_backup);
  CHECK(entry(doubtful.key).in_doubt);
  CHECK(entry(doubtful.key).in_doubt_since == clock().now());
  // The doubt about the past is recorded, and stays one; an attempt of this store ends it.
  put_in_doubt(fresh);
  CHECK(entry(fresh.key).from_backup);
  put_in_doubt(fresh, sg1, 2);
  CHECK_FALSE(entry(fresh.key).from_backup);
  record(outcome(deferred, {0}, RecipientOutcome::Kind::deferred, std::nullopt, 2));
  CHECK_FALSE(entry(deferred.key).from_backup);
}

TEST_CASE_METHOD(BackupFixture, "the resubmissions of a backup never run again") {
  const auto message = accept();
  deliver(message);
  const auto running = resubmit(window("key")).resubmission.id;
  REQUIRE(back_up().has_value());
  restore();
  CHECK(resubmission(running).state == ResubmissionState::cancelled);
  CHECK(only_line().state == DeliveryState::delivered);
  CHECK(spool_size() == 0);
}

TEST_CASE_METHOD(BackupFixture, "nothing that is there is overwritten by a backup") {
  fs::create_directories(target());
  std::ofstream{target() / "something"} << "of value";
  const auto made = back_up();
  REQUIRE(made.has_error());
  CHECK(made.error().fault == Fault::conflict);
  CHECK(fs::exists(target() / "something"));
}

TEST_CASE_METHOD(BackupFixture, "a backup that fails leaves nothing behind") {
  std::ofstream{path().parent_path() / "file"} << "not a folder";
  const auto made = wait_for<BackupMade>(
      [&](auto done) { store().backup(path().parent_path() / "file" / "backup", std::move(done)); });
  REQUIRE(made.has_error());
  CHECK(made.error().fault == Fault::unavailable);
  CHECK_FALSE(fs::exists(path() / "backing-up"));
  CHECK(back_up().has_value());
}

TEST_CASE_METHOD(BackupFixture, "whoever has been told of a backup may ask for the next one at once") {
  std::ofstream{path().parent_path() / "file"} << "not a folder";
  for (int i = 0; i < 200; ++i) {
    const auto made = wait_for<BackupMade>(
        [&](auto done) { store().backup(path().parent_path() / "file" / "backup", std::move(done)); });
    REQUIRE(made.has_error());
    REQUIRE(made.error().fault == Fault::unavailable);
  }
}

TEST_CASE_METHOD(BackupFixture, "a backup that was interrupted is not taken for a store") {
  REQUIRE(back_up().has_value());
  std::ofstream{target() / "FORMAT"} << "transport-dumpster store\nformat 2\nbacking-up\n";
  shut();
  auto unfinished = options();
  unfinished.path = target();
  const auto opened = open_rocksdb_store(unfinished);
  REQUIRE(opened.has_error());
  CHECK(opened.error().fault == Fault::damaged);
}
