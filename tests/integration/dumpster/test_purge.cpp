#include "store_fixture.hpp"

using namespace dumpster;
using namespace dumpster::testing;

namespace {

class PurgeFixture : public StoreFixture {
 public:
  ~PurgeFixture() { shut(); }

  metrics::HubMetrics counted;

  Purged purge(const PurgeRequest& request) {
    return wait_value<Purged>([&](auto done) { store().purge(request, std::move(done)); });
  }
  PurgeRequest window(Instant from, Instant until) {
    PurgeRequest request;
    request.group = sg1;
    request.from = from;
    request.until = until;
    return request;
  }
  std::vector<Delivery> deliver_some(int count) {
    for (int i = 0; i < count; ++i) {
      clock().advance(1s);
      deliver(accept({"alice@example.test"}, 100));
    }
    return lines();
  }
};

}  // namespace

TEST_CASE_METHOD(PurgeFixture, "a purged window is gone with its bodies, and the coverage begins behind it") {
  metrics = &counted;
  reopen();
  const auto before = deliver_some(6);
  const auto created = group().covered_from;
  auto request = window(before[1].delivered_at, before[4].delivered_at);
  SECTION("a dry run counts and changes nothing") {
    request.dry_run = true;
    const auto sequence = store().identity().sequence;
    const auto would = purge(request);
    CHECK(would.messages == 3);
    CHECK(would.bytes == 300);
    CHECK(lines() == before);
    CHECK(group().covered_from == created);
    CHECK(store().identity().sequence == sequence);
  }
  SECTION("for good, across a restart") {
    const auto gone = purge(request);
    CHECK(gone.messages == 3);
    CHECK_FALSE(gone.continue_from);
    CHECK(lines() == std::vector<Delivery>{before[0], before[4], before[5]});
    CHECK(group().covered_from == before[3].delivered_at + 1us);
    CHECK(group().messages == 3);
    CHECK(body(before[2].message).error().fault == Fault::not_found);
    CHECK(counted.exposition().find("reason=\"operator\",storage_group=\"sg1\"} 3") != std::string::npos);
    CHECK(purge(request).messages == 0);
    reopen();
    CHECK(group().covered_from == before[3].delivered_at + 1us);
  }
}

TEST_CASE_METHOD(PurgeFixture, "a single purged delivery does not move the coverage") {
  const auto before = deliver_some(3);
  const auto covered_from = group().covered_from;
  PurgeRequest request;
  request.group = sg1;
  request.delivery_id = before[1].delivery_id;
  CHECK(purge(request).messages == 1);
  CHECK(lines() == std::vector<Delivery>{before[0], before[2]});
  CHECK(group().covered_from == covered_from);
  const auto again = wait_for<Purged>([&](auto done) { store().purge(request, std::move(done)); });
  CHECK(again.error().fault == Fault::not_found);
  request.group.group = "none";
  const auto elsewhere = wait_for<Purged>([&](auto done) { store().purge(request, std::move(done)); });
  CHECK(elsewhere.error().fault == Fault::not_found);
}

TEST_CASE_METHOD(PurgeFixture, "what is in doubt or being resubmitted is not purged") {
  const auto doubtful = accept();
  put_in_doubt(doubtful);
  const auto before = deliver_some(2);
  resubmit(items("again", {{before[1].delivery_id, std::nullopt, {}, {}}}));
  const auto covered_from = group().covered_from;
  const auto purged = purge(window(Instant::min(), before[1].delivered_at + 1us));
  CHECK(purged.messages == 0);
  CHECK(purged.kept == 2);
  CHECK(lines().size() == 3);
  CHECK(group().covered_from == covered_from);
}

TEST_CASE_METHOD(PurgeFixture, "a long window is purged piece by piece") {
  for (int i = 0; i < 2100; ++i) {
    auto made = new_message({"alice@example.test"}, 10);
    const auto delivered = outcome(made.message, {0}, RecipientOutcome::Kind::delivered);
    store().accept(made, [](const Result<Done>&) {});
    store().record(delivered, [](const Result<AttemptRecorded>&) {});
  }
  auto request = window(Instant::min(), snapshot());
  std::uint64_t gone = 0;
  int pieces = 0;
  while (true) {
    const auto piece = purge(request);
    gone += piece.messages;
    ++pieces;
    if (!piece.continue_from) break;
    request.from = *piece.continue_from;
  }
  CHECK(gone == 2100);
  CHECK(pieces == 3);
  CHECK(lines().empty());
}
