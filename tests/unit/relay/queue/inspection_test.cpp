#include "relay/queue/inspection.hpp"

#include <catch2/catch.hpp>

using namespace std::chrono_literals;
using dumpster::Instant;
using relay::QueuedState;
using relay::QueueFilter;

namespace {

const dumpster::StorageGroup sg1{"ccr1", "sg1"};

/// alice is on a cluster, everyone else is unknown.
class OneMailbox : public relay::ReadyDirectory {
  relay::Lookup look_up(std::string_view address) const override {
    if (address != "alice@x") return relay::LookupFault::unknown;
    return std::vector<relay::Resolved>{{"alice@x", "alice@x", "", sg1}};
  }
};

relay::QueuedMessage message() {
  relay::QueuedMessage made;
  auto& accepted = made.spooled.message;
  accepted.key = dumpster::new_uuid(Instant{1000s});
  accepted.received_at = Instant{1000s};
  accepted.message_id = "m@x";
  accepted.envelope.sender = "Sender@y";
  for (const auto* address : {"alice@x", "bob@z"}) {
    dumpster::SpoolEntry entry;
    entry.index = static_cast<std::uint32_t>(made.spooled.entries.size());
    made.spooled.entries.push_back(entry);
    accepted.envelope.recipients.push_back({address, address, {}, 0});
  }
  accepted.envelope.recipients[0].original_address = "boss@x";
  return made;
}

std::vector<std::string> found(const QueueFilter& filter, const relay::QueuedMessage& queued) {
  const auto mail =
      relay::inspect(queued, filter, OneMailbox{}, *relay::next_hop_from("smtp://192.0.2.1:25"));
  std::vector<std::string> addresses;
  for (const auto& recipient : mail.recipients)
    addresses.push_back(recipient.address);
  return addresses;
}

const std::vector<std::string> both{"alice@x", "bob@z"};
const std::vector<std::string> alice{"alice@x"};
const std::vector<std::string> nobody;

}  // namespace

TEST_CASE("a filter with nothing in it means everyone") {
  CHECK(found({}, message()) == both);
}

TEST_CASE("what is given has to fit, letters of either case, aliases as the client said them") {
  const auto queued = message();
  QueueFilter filter;
  filter.recipient = "BOSS@x";
  CHECK(found(filter, queued) == alice);
  filter.sender = "sender@Y";
  CHECK(found(filter, queued) == alice);
  filter.sender = "<>";
  CHECK(found(filter, queued) == nobody);
  filter = {};
  filter.message_id = "n@x";
  CHECK(found(filter, queued) == nobody);
  filter = {};
  filter.received_before = Instant{1000s};
  CHECK(found(filter, queued) == nobody);
  filter.received_before = Instant{1001s};
  CHECK(found(filter, queued) == both);
}

TEST_CASE("a destination is a cluster, a storage group, a next hop or the smarthost") {
  const auto queued = message();
  QueueFilter filter;
  filter.destination = "ccr1";
  CHECK(found(filter, queued) == alice);
  filter.destination = "ccr1/sg1";
  CHECK(found(filter, queued) == alice);
  filter.destination = "smarthost";
  CHECK(found(filter, queued) == std::vector<std::string>{"bob@z"});
  filter.destination = "ccr";
  CHECK(found(filter, queued) == nobody);
}

TEST_CASE("an id is that of the message or of its delivery to a storage group") {
  const auto queued = message();
  QueueFilter filter;
  filter.id = queued.spooled.message.key;
  CHECK(found(filter, queued) == both);
  filter.id = dumpster::delivery_id_of(queued.spooled.message.key, "ccr1", "sg1");
  CHECK(found(filter, queued) == alice);
  filter.id = dumpster::delivery_id_of(queued.spooled.message.key, "ccr1", "sg2");
  CHECK(found(filter, queued) == nobody);
}

TEST_CASE("the state says why a recipient waits") {
  auto queued = message();
  const auto state = [&queued] {
    return relay::inspect(queued, {}, OneMailbox{}, {}).recipients.at(0).state;
  };
  auto& entry = queued.spooled.entries[0];
  CHECK(state() == QueuedState::waiting);
  entry.attempts = 1;
  CHECK(state() == QueuedState::deferred);
  entry.in_doubt = true;
  CHECK(state() == QueuedState::in_doubt);
  entry.held = true;
  CHECK(state() == QueuedState::held);
  queued.under_way.insert(0);
  CHECK(state() == QueuedState::under_way);
  QueueFilter filter;
  filter.held = true;
  CHECK(found(filter, queued) == alice);
}
