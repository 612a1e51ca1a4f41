#include <thread>

#include "failing_disk.hpp"
#include "store_fixture.hpp"

using namespace dumpster;
using namespace dumpster::testing;

namespace {

class WriteFailureFixture : public StoreFixture {
 public:
  Result<Done> try_to_accept(const NewMessage& made) {
    for (std::uint32_t i = 0; made.message.chunks > 1 && i < made.message.chunks; ++i) {
      auto chunk = body_of(made.message).substr(i * body_chunk_size, body_chunk_size);
      store().append_body(made.message.key, i, std::move(chunk), [](const Result<Done>&) {});
    }
    auto given = made;
    if (made.message.chunks > 1) given.body.clear();
    return wait_for<Done>([&](auto done) { store().accept(std::move(given), std::move(done)); });
  }

  Result<AttemptRecorded> try_to_record(const AttemptOutcome& what) {
    return wait_for<AttemptRecorded>([&](auto done) { store().record(what, std::move(done)); });
  }

  void wait_until_writable() {
    const auto deadline = std::chrono::steady_clock::now() + 60s;
    while (!store().writable()) {
      REQUIRE(std::chrono::steady_clock::now() < deadline);
      std::this_thread::sleep_for(1ms);
    }
  }
};

}  // namespace

TEST_CASE_METHOD(WriteFailureFixture, "after a failed sync the store opens itself again and goes on") {
  const auto before = accept({"alice@example.test"}, 1000);
  const auto id = store().identity();
  const auto made = new_message({"alice@example.test"}, 1000);
  {
    const FailingDisk disk{path(), FailingDisk::Calls::syncs, 1};
    const auto refused = try_to_accept(made);
    REQUIRE(refused.has_error());
    CHECK(refused.error().fault == Fault::unavailable);
    CHECK(disk.failed() == 1);
  }
  wait_until_writable();
  CHECK(store().times_reopened() == 1);
  CHECK(store().identity().store_id == id.store_id);
  CHECK(store().identity().sequence > id.sequence);
  CHECK(body(before.key).value() == body_of(before));
  // It was written, and its sender was told that it was not: another copy of it is on its way.
  CHECK_FALSE(spooled(made.message.key));
  CHECK(body(made.message.key).error().fault == Fault::not_found);
  CHECK(store().spool_totals().messages == 1);
  deliver(accept());
  reopen();
  CHECK(spool_size() == 1);
  CHECK(lines().size() == 1);
}

TEST_CASE_METHOD(WriteFailureFixture,
                 "while it cannot be opened again nothing is acknowledged, and then it goes on") {
  const auto before = accept();
  {
    const FailingDisk sick{path(), FailingDisk::Calls::both, 1, 1'000'000};
    CHECK(try_to_accept(new_message({"alice@example.test"}, 10)).has_error());
    CHECK_FALSE(store().writable());
    const auto failures = sick.failed();
    const auto deadline = std::chrono::steady_clock::now() + 30s;
    while (sick.failed() < failures + 1 && std::chrono::steady_clock::now() < deadline) {
      CHECK(try_to_accept(new_message({"alice@example.test"}, 10)).error().fault == Fault::unavailable);
      std::this_thread::sleep_for(1ms);
    }
    CHECK(sick.failed() > failures);
    CHECK_FALSE(store().writable());
    const auto read =
        wait_for<std::string>([&](auto done) { store().read_body(before.key, 0, std::move(done)); });
    CHECK(read.error().fault == Fault::unavailable);
    CHECK(store().spool_totals().messages == 1);
  }
  wait_until_writable();
  CHECK(spooled(before.key));
  accept();
  CHECK(spool_size() == 2);
}

TEST_CASE_METHOD(WriteFailureFixture, "a store that is closed while it cannot write has not ended cleanly") {
  accept();
  {
    const FailingDisk sick{path(), FailingDisk::Calls::both, 1, 1'000'000};
    CHECK(try_to_accept(new_message({"alice@example.test"}, 10)).has_error());
    store().close();
  }
  reopen(false);
  CHECK_FALSE(store().identity().clean_shutdown);
  CHECK(spool_size() == 1);
}

TEST_CASE_METHOD(WriteFailureFixture,
                 "a body that was begun before a failed write is not accepted with holes after it") {
  auto made = new_message({"alice@example.test"}, 3 * body_chunk_size);
  const auto whole = body_of(made.message);
  const auto append = [&](std::uint32_t chunk) {
    return wait_for<Done>([&](auto done) {
      store().append_body(made.message.key, chunk, whole.substr(chunk * body_chunk_size, body_chunk_size),
                          std::move(done));
    });
  };
  REQUIRE(append(0).has_value());
  REQUIRE(append(1).has_value());
  {
    const FailingDisk disk{path(), FailingDisk::Calls::syncs, 1};
    CHECK(try_to_accept(new_message({"bob@example.test"}, 10)).has_error());
  }
  wait_until_writable();
  CHECK(append(2).error().fault == Fault::unavailable);
  made.body.clear();
  const auto accepted = wait_for<Done>([&](auto done) { store().accept(made, std::move(done)); });
  CHECK(accepted.error().fault == Fault::unavailable);
  CHECK(spool_size() == 0);
}

TEST_CASE_METHOD(
    WriteFailureFixture,
    "whichever write or sync fails, what was acknowledged is there and what was refused is not") {
  const auto calls = GENERATE(FailingDisk::Calls::writes, FailingDisk::Calls::syncs);
  std::vector<Uuid> accepted;
  std::vector<Uuid> refused;
  std::vector<Uuid> delivered;
  int failures = 0;
  for (int nth = 1; nth <= 24; ++nth) {
    const FailingDisk disk{path(), calls, nth};
    for (int i = 0; i < 20; ++i) {
      clock().advance(1s);
      const auto made = new_message({"alice@example.test"}, i % 3 == 2 ? 2 * body_chunk_size + 5 : 700);
      const bool well = try_to_accept(made).has_value();
      (well ? accepted : refused).push_back(made.message.key);
      if (!well || i % 2 == 0) continue;
      const auto outcome_of_it = outcome(made.message, {0}, RecipientOutcome::Kind::delivered);
      while (try_to_record(outcome_of_it).has_error())
        wait_until_writable();
      delivered.push_back(made.message.key);
    }
    failures += disk.failed();
    wait_until_writable();
  }
  CHECK(failures == 24);
  for (int look = 0; look < 2; ++look) {
    std::map<Uuid, int> found;
    for (const auto& line : lines())
      found[line.message] += 1;
    for (const auto& key : delivered) {
      CHECK(found[key] == 1);
      CHECK_FALSE(spooled(key));
    }
    for (const auto& key : accepted)
      CHECK((found.contains(key) || spooled(key)));
    for (const auto& key : refused)
      CHECK_FALSE(spooled(key));
    CHECK(spool_size() + lines().size() == accepted.size());
    reopen();
  }
}

TEST_CASE_METHOD(StoreFixture, "a closed store refuses every call and has marked its end as clean") {
  accept();
  store().close();
  store().close();
  CHECK_FALSE(store().writable());
  auto made = new_message({"alice@example.test"}, 10);
  const auto refused = wait_for<Done>([&](auto done) { store().accept(std::move(made), std::move(done)); });
  CHECK(refused.error().fault == Fault::unavailable);
  const auto unread = wait_for<std::vector<SpooledMessage>>(
      [&](auto done) { store().scan_spool(std::nullopt, 10, std::move(done)); });
  CHECK(unread.error().fault == Fault::unavailable);
  reopen();
  CHECK(store().identity().clean_shutdown);
  CHECK(spool_size() == 1);
}
