#include "relay/server/incoming_message.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <catch2/catch.hpp>

#include "tests/integration/recovery/fake_store.hpp"

namespace asio = boost::asio;
using namespace std::chrono_literals;
using dumpster::Done;
using dumpster::Result;
using relay::IncomingMessage;

namespace {

/// Accepts when it is told to.
class SlowStore : public recovery::FakeStore {
 public:
  void append_body(dumpster::Uuid, std::uint32_t, std::string bytes, Completion<Done> done) override {
    body += bytes;
    done(Done{});
  }
  void accept(dumpster::NewMessage message, Completion<Done> done) override {
    body += message.body;
    accepted = message.message;
    pending = std::move(done);
    if (at_once) std::exchange(pending, {})(Done{});
  }
  void record(dumpster::AttemptOutcome outcome, Completion<dumpster::AttemptRecorded> done) override {
    recorded.push_back(std::move(outcome));
    done(dumpster::AttemptRecorded{});
  }
  void abandon_body(dumpster::Uuid) override { ++abandoned; }

  bool at_once = true;
  std::string body;
  dumpster::Message accepted;
  Completion<Done> pending;
  std::vector<dumpster::AttemptOutcome> recorded;
  int abandoned = 0;
};

dumpster::Message for_two() {
  dumpster::Message message;
  message.key = dumpster::new_uuid(dumpster::Instant{std::chrono::seconds{1769860800}});
  message.received_at = dumpster::Instant{std::chrono::seconds{1769860800}};
  message.envelope.recipients.resize(2);
  return message;
}

struct Fixture {
  asio::io_context context{1};
  SlowStore store;  // keeps a completion with a timer of the context
  relay::FreshBodies bodies{1 << 20};
  std::optional<IncomingMessage> incoming;

  explicit Fixture(bool complete = false) {
    incoming.emplace(store, bodies, for_two(), "Received: by hub\r\n", "hub");
    if (complete) incoming->complete_header();
  }
  Result<Done> accept(std::chrono::milliseconds limit) {
    std::optional<Result<Done>> result;
    auto body = [&]() -> asio::awaitable<void> {
      auto& message = *incoming;
      if (message.chunk_is_full()) co_await message.write_full_chunks();
      auto done = co_await message.accept(limit);
      result = std::move(done);
    };
    asio::co_spawn(context, std::move(body), [](std::exception_ptr failure) {
      if (failure) std::rethrow_exception(failure);
    });
    context.run();
    context.restart();
    return *result;
  }
};

}  // namespace

TEST_CASE("a message that is durable in time is kept") {
  Fixture fixture;
  fixture.incoming->add("Subject: x\r\n\r\nx\r\n");
  CHECK(fixture.accept(10s).has_value());
  fixture.incoming.reset();
  CHECK(fixture.store.body == "Received: by hub\r\nSubject: x\r\n\r\nx\r\n");
  CHECK(fixture.store.accepted.size == fixture.store.body.size());
  CHECK(fixture.store.recorded.empty());
  CHECK(fixture.store.abandoned == 0);
}

TEST_CASE("a message that is durable too late is given up, and all its recipients are taken back") {
  Fixture fixture;
  fixture.store.at_once = false;
  fixture.incoming->add("Subject: x\r\n\r\n" + std::string(200'000, 'x') + "\r\n");
  const auto result = fixture.accept(20ms);
  REQUIRE_FALSE(result.has_value());
  CHECK(result.error().fault == dumpster::Fault::unavailable);
  fixture.incoming.reset();
  CHECK(fixture.store.recorded.empty());
  CHECK(fixture.store.abandoned == 0);
  fixture.store.pending(Done{});
  fixture.context.run();
  REQUIRE(fixture.store.recorded.size() == 1);
  CHECK(fixture.store.recorded[0].message == fixture.store.accepted.key);
  REQUIRE(fixture.store.recorded[0].recipients.size() == 2);
  for (const auto& recipient : fixture.store.recorded[0].recipients)
    CHECK(recipient.kind == dumpster::RecipientOutcome::Kind::deleted);
}

TEST_CASE("a message that was given up and then refused leaves no body behind") {
  Fixture fixture;
  fixture.store.at_once = false;
  fixture.incoming->add("Subject: x\r\n\r\n" + std::string(200'000, 'x') + "\r\n");
  CHECK_FALSE(fixture.accept(20ms).has_value());
  fixture.incoming.reset();
  fixture.store.pending(dumpster::Error{dumpster::Fault::unavailable, "closing"});
  fixture.context.run();
  CHECK(fixture.store.recorded.empty());
  CHECK(fixture.store.abandoned == 1);
}

TEST_CASE("Message-ID and Date are added below Received where they are missing, when that is wanted") {
  const std::string bare = "Subject: x\r\n\r\nDate: in the body\r\n";
  Fixture wanted{true};
  wanted.incoming->add(bare);
  CHECK(wanted.accept(10s).has_value());
  const auto id = dumpster::to_string(wanted.store.accepted.key) + "@hub";
  CHECK(wanted.store.body ==
        "Received: by hub\r\nMessage-ID: <" + id + ">\r\nDate: Sat, 31 Jan 2026 12:00:00 +0000\r\n" + bare);
  CHECK(wanted.store.accepted.message_id == id);
  CHECK(wanted.store.accepted.size == wanted.store.body.size());

  Fixture whole{true};
  const std::string both = "date : whenever\r\nMESSAGE-ID: garbage\r\n\r\nx\r\n";
  whole.incoming->add(both);
  CHECK(whole.accept(10s).has_value());
  CHECK(whole.store.body == "Received: by hub\r\n" + both);
  Fixture unwanted;
  unwanted.incoming->add(bare);
  CHECK(unwanted.accept(10s).has_value());
  CHECK(unwanted.store.body == "Received: by hub\r\n" + bare);
}

TEST_CASE("a header longer than a chunk stays as it is, a long body is no obstacle, and chunks are full") {
  for (const bool long_header : {true, false}) {
    Fixture fixture{true};
    const std::string filler = (long_header ? "X-Long: " : "\r\n") + std::string(100'000, 'y') + "\r\n";
    fixture.incoming->add(filler);
    CHECK(fixture.accept(10s).has_value());
    const bool added = fixture.store.body.find("Message-ID:") != std::string::npos;
    CHECK(added != long_header);
    CHECK(fixture.store.body.ends_with(filler));
    CHECK(fixture.store.accepted.size == fixture.store.body.size());
    CHECK(fixture.store.accepted.chunks == 2);
  }
}

TEST_CASE("fields that fill the last byte of a chunk make another chunk") {
  Fixture fixture{true};
  const std::string head = "Subject: x\r\n\r\n";
  fixture.incoming->add(head + std::string(dumpster::body_chunk_size - head.size() - 18, 'x'));
  CHECK(fixture.accept(10s).has_value());
  CHECK(fixture.store.accepted.chunks == 2);
  CHECK(fixture.store.accepted.size == fixture.store.body.size());
}

TEST_CASE(
    "an accepted body stays in memory as it lies in the store, unless it is large or there is no room") {
  const auto in_memory = [](const Fixture& fixture) {
    std::string whole;
    for (const auto& chunk : fixture.incoming->fresh_body()->chunks())
      whole += chunk;
    return whole;
  };
  for (const std::size_t size : {10U, 65'000U, 70'000U, 200'000U}) {
    Fixture fixture;
    fixture.incoming->add("Subject: x\r\n\r\n" + std::string(size, 'x') + "\r\n");
    REQUIRE(fixture.accept(10s).has_value());
    REQUIRE(fixture.incoming->fresh_body() != nullptr);
    CHECK(fixture.incoming->fresh_body()->chunks().size() == fixture.store.accepted.chunks);
    CHECK(in_memory(fixture) == fixture.store.body);
    CHECK(fixture.bodies.held() == fixture.store.body.size());
    fixture.incoming.reset();
    CHECK(fixture.bodies.held() == 0);
  }
  Fixture large;
  large.incoming->add("Subject: x\r\n\r\n" + std::string(300'000, 'x') + "\r\n");
  REQUIRE(large.accept(10s).has_value());
  CHECK(large.incoming->fresh_body() == nullptr);
  CHECK(large.bodies.held() == 0);

  Fixture crowded;
  std::vector<std::shared_ptr<relay::FreshBody>> others;
  while (crowded.bodies.held() + 65'536 <= 1 << 20) {
    others.push_back(crowded.bodies.begin());
    REQUIRE(others.back()->add(std::string(65'536, 'x')));
  }
  crowded.incoming->add("Subject: x\r\n\r\nx\r\n");
  REQUIRE(crowded.accept(10s).has_value());
  CHECK(crowded.incoming->fresh_body() == nullptr);
  CHECK(crowded.bodies.held() == 1 << 20);
}
