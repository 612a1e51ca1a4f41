#include "store_fixture.hpp"

using namespace dumpster;
using namespace dumpster::testing;
using Kind = RecipientOutcome::Kind;

TEST_CASE_METHOD(StoreFixture,
                 "what is accepted is in the spool with envelope and body, also after a restart") {
  const auto message = accept({"alice@example.test", "bob@example.test"}, 200'000);
  const bool clean = GENERATE(true, false);
  reopen(clean);
  CHECK(store().identity().clean_shutdown == clean);
  const auto found = spooled(message.key);
  REQUIRE(found);
  CHECK(found->message == message);
  CHECK(found->entries.size() == 2);
  std::string read;
  for (std::uint32_t i = 0; i < message.chunks; ++i)
    read += body(message.key, i).value();
  CHECK(read == body_of(message));
  CHECK(store().spool_totals().messages == 1);
  CHECK(store().spool_totals().bytes == 200'000);
}

TEST_CASE_METHOD(StoreFixture,
                 "one write takes a recipient out of the spool and puts the delivery into the dumpster") {
  const auto message = accept({"alice@example.test", "bob@example.test"});
  const auto recorded = record(outcome(message, {1}, Kind::delivered));
  REQUIRE(recorded.left);
  CHECK(recorded.left->entries.size() == 1);
  CHECK(recorded.left->entries.front().index == 0);
  const auto line = only_line();
  CHECK(line.delivery_id == delivery_id_of(message.key, "ccr1", "sg1"));
  CHECK(line.message == message.key);
  CHECK(line.message_id == message.message_id);
  CHECK(line.size == message.size);
  CHECK(line.node == "node1");
  CHECK(line.attempt == 1);
  CHECK(line.state == DeliveryState::delivered);
  CHECK(line.recipients ==
        std::vector<DeliveryRecipient>{{1, "bob@example.test", "mailbox-of-bob@example.test"}});
  CHECK_FALSE(record(outcome(message, {0}, Kind::delivered, sg1, 2)).left);
  CHECK_FALSE(spooled(message.key));
  CHECK(lines().size() == 2);
  CHECK(body(message.key).value() == body_of(message));
  CHECK(store().spool_totals().messages == 0);
}

TEST_CASE_METHOD(StoreFixture, "only what went to a storage group is retained, for its recipients alone") {
  const auto message = accept({"alice@example.test", "list@example.test"});
  record(outcome(message, {1}, Kind::delivered, std::nullopt));
  CHECK(lines().empty());
  record(outcome(message, {0}, Kind::delivered));
  CHECK(only_line().recipients.size() == 1);
  const auto elsewhere = accept({"list@example.test"});
  deliver(elsewhere);
  const auto gone = accept({"list@example.test"});
  record(outcome(gone, {0}, Kind::delivered, std::nullopt));
  CHECK(body(gone.key).error().fault == Fault::not_found);
  CHECK(lines().size() == 2);
}
