#include "store_fixture.hpp"

using namespace dumpster;
using namespace dumpster::testing;
using Kind = RecipientOutcome::Kind;

TEST_CASE_METHOD(StoreFixture, "a message of two groups keeps its body until both dumpsters have let it go") {
  limits().max_size = 1000;
  reopen();
  const auto message = accept({"alice@example.test", "bob@example.test"}, 900);
  record(outcome(message, {0}, Kind::delivered, sg1));
  record(outcome(message, {1}, Kind::delivered, sg2, 2));
  CHECK_FALSE(spooled(message.key));
  deliver(accept({"alice@example.test"}, 900), sg1);
  CHECK(lines(sg1).size() == 1);
  CHECK(body(message.key).value() == body_of(message));
  deliver(accept({"bob@example.test"}, 900), sg2);
  CHECK(lines(sg2).size() == 1);
  CHECK(body(message.key).error().fault == Fault::not_found);
}

TEST_CASE_METHOD(StoreFixture, "a message still in the spool keeps its body when its delivery is evicted") {
  limits().max_size = 1000;
  reopen();
  const auto message = accept({"alice@example.test", "later@example.test"}, 900);
  record(outcome(message, {0}, Kind::delivered));
  deliver(accept({"alice@example.test"}, 900));
  REQUIRE(only_line().message != message.key);
  CHECK(body(message.key).value() == body_of(message));
  record(outcome(message, {1}, Kind::deleted, std::nullopt, 2));
  CHECK(body(message.key).error().fault == Fault::not_found);
}

TEST_CASE_METHOD(StoreFixture, "all chunks of a large body go with its last reference") {
  const auto message = accept({"alice@example.test"}, 200'000);
  record(outcome(message, {0}, Kind::refused));
  for (std::uint32_t i = 0; i < message.chunks; ++i)
    CHECK(body(message.key, i).error().fault == Fault::not_found);
}

TEST_CASE_METHOD(StoreFixture, "accepting the same message again changes nothing") {
  auto made = new_message({"alice@example.test"}, 100);
  for (int i = 0; i < 2; ++i)
    wait_value<Done>([&](auto done) { store().accept(made, std::move(done)); });
  CHECK(store().spool_totals().messages == 1);
  record(outcome(made.message, {0}, Kind::delivered));
  CHECK(store().spool_totals().messages == 0);
  wait_value<Done>([&](auto done) { store().accept(made, std::move(done)); });
  CHECK(store().spool_totals().messages == 0);
}

TEST_CASE_METHOD(StoreFixture, "a message that contradicts itself is refused and leaves nothing behind") {
  auto wrong_size = new_message({"alice@example.test"}, 100);
  wrong_size.body.pop_back();
  auto nobody = new_message({}, 100);
  for (const auto& made : {wrong_size, nobody}) {
    const auto refused = wait_for<Done>([&](auto done) { store().accept(made, std::move(done)); });
    REQUIRE(refused.has_error());
    CHECK(refused.error().fault == Fault::invalid);
    CHECK_FALSE(spooled(made.message.key));
  }
  CHECK(store().spool_totals().messages == 0);
}

TEST_CASE_METHOD(StoreFixture, "a message whose chunks are not there is not accepted") {
  const auto made = new_message({"alice@example.test"}, 200'000);
  const auto refused = wait_for<Done>([&](auto done) { store().accept(made, std::move(done)); });
  REQUIRE(refused.has_error());
  CHECK(refused.error().fault == Fault::unavailable);
  CHECK(store().spool_totals().messages == 0);
}

TEST_CASE_METHOD(StoreFixture, "the last chunk may come with its message, when all before it are there") {
  const auto whole = new_message({"alice@example.test"}, 150'000);
  const auto bytes = body_of(whole.message);
  auto made = whole;
  made.body = bytes.substr(2 * body_chunk_size);
  const auto accept_it = [&] {
    return wait_for<Done>([&](auto done) { store().accept(made, std::move(done)); });
  };
  const auto append = [&](std::uint32_t chunk) {
    auto piece = bytes.substr(chunk * body_chunk_size, body_chunk_size);
    const auto done = wait_for<Done>([&](auto written) {
      store().append_body(made.message.key, chunk, std::move(piece), std::move(written));
    });
    REQUIRE(done.has_value());
  };
  CHECK(accept_it().error().fault == Fault::unavailable);
  append(0);
  CHECK(accept_it().error().fault == Fault::unavailable);
  append(1);
  made.body.pop_back();
  CHECK(accept_it().error().fault == Fault::invalid);
  made.body = bytes.substr(2 * body_chunk_size);
  REQUIRE(accept_it().has_value());
  reopen();
  for (std::uint32_t chunk = 0; chunk < 3; ++chunk)
    CHECK(body(made.message.key, chunk).value() == bytes.substr(chunk * body_chunk_size, body_chunk_size));
}

TEST_CASE_METHOD(StoreFixture, "the body of an accepted message cannot be changed") {
  const auto message = accept();
  const auto refused =
      wait_for<Done>([&](auto done) { store().append_body(message.key, 0, "other", std::move(done)); });
  REQUIRE(refused.has_error());
  CHECK(refused.error().fault == Fault::conflict);
  store().abandon_body(message.key);
  snapshot();
  CHECK(body(message.key).value() == body_of(message));
}

TEST_CASE_METHOD(StoreFixture,
                 "chunks of a message that was never accepted go when abandoned or at the next start") {
  const auto made = new_message({"alice@example.test"}, 200'000);
  const auto append = [&](std::uint32_t chunk) {
    wait_value<Done>([&](auto done) {
      store().append_body(made.message.key, chunk, std::string(body_chunk_size, 'x'), std::move(done));
    });
  };
  append(0);
  append(1);
  REQUIRE(body(made.message.key, 1).has_value());
  SECTION("abandoned") {
    store().abandon_body(made.message.key);
    snapshot();
  }
  SECTION("at the next start") {
    const bool clean = GENERATE(true, false);
    reopen(clean);
  }
  CHECK(body(made.message.key, 0).error().fault == Fault::not_found);
  CHECK(body(made.message.key, 1).error().fault == Fault::not_found);
}

TEST_CASE_METHOD(StoreFixture, "a body that does not begin with its first chunk is refused") {
  const auto key = new_uuid(clock().now());
  const auto refused =
      wait_for<Done>([&](auto done) { store().append_body(key, 1, "late", std::move(done)); });
  REQUIRE(refused.has_error());
  CHECK(refused.error().fault == Fault::unavailable);
  CHECK(body(key, 1).error().fault == Fault::not_found);
}

TEST_CASE_METHOD(StoreFixture, "a notification is accepted in the write that makes it due, and only once") {
  const auto message = accept();
  auto refusal = outcome(message, {0}, Kind::refused, sg1);
  refusal.notification = new_message({"sender@example.test"}, 50);
  record(refusal);
  CHECK_FALSE(spooled(message.key));
  REQUIRE(spooled(refusal.notification->message.key));
  record(outcome(refusal.notification->message, {0}, Kind::delivered, std::nullopt));
  record(refusal);
  CHECK_FALSE(spooled(refusal.notification->message.key));
  CHECK(store().spool_totals().messages == 0);
}
