#include <catch2/catch.hpp>
#include <random>

#include "dumpster/codec.hpp"
#include "dumpster/records.hpp"

using namespace dumpster;
using namespace std::chrono_literals;

namespace {

const Instant some_time{Duration{1'700'000'000'123'456}};

Message some_message() {
  Message message;
  message.key = new_uuid(some_time);
  message.received_at = some_time;
  message.message_id = "id@example.test";
  message.size = 70'000;
  message.chunks = 2;
  message.envelope.sender = "sender@example.test";
  message.envelope.body_type = BodyType::binary_mime;
  message.envelope.smtputf8 = true;
  message.envelope.require_tls = true;
  message.envelope.notify_return = NotifyReturn::headers;
  message.envelope.envelope_id = "env+3D";
  message.envelope.recipients = {{"a@example.test", "A@example.test", "rfc822;A@example.test", 6},
                                 {"b", "", "", 0}};
  return message;
}

SpoolRecord some_spool() {
  SpoolRecord record;
  record.attempts = 4;
  record.size = 70'000;
  SpoolEntry fresh;
  fresh.index = 7;
  SpoolEntry full;
  full.index = 1;
  full.attempts = 3;
  full.trying = true;
  full.next_attempt = some_time + 5s;
  full.last_reply = "450 4.2.0 later";
  full.group = StorageGroup{"ccr1", "sg1"};
  full.mailbox = "alice";
  full.line = some_time + 1us;
  full.in_doubt = true;
  full.in_doubt_since = some_time + 2us;
  full.ever_delivered = true;
  full.resubmission = new_uuid(some_time);
  full.resubmit_until = some_time + 24h;
  full.held = true;
  full.delay_told = true;
  full.from_backup = true;
  record.entries = {fresh, full};
  return record;
}

LineRecord some_line() {
  LineRecord record;
  record.line.delivery_id = new_uuid(some_time);
  record.line.message = new_uuid(some_time);
  record.line.message_id = "id@example.test";
  record.line.size = 70'000;
  record.line.delivered_at = some_time;
  record.line.node = "node2";
  record.line.term = 3;
  record.line.attempt = 2;
  record.line.state = DeliveryState::in_doubt;
  record.line.ever_delivered = true;
  record.line.resubmission = new_uuid(some_time);
  record.line.recipients = {{0, "a@example.test", "a"}, {5, "b@example.test", "b"}};
  record.earlier = EarlierDelivery{"node1", 1, 1};
  return record;
}

HubRecord some_hub() {
  HubRecord record;
  record.store_id = new_uuid(some_time);
  record.store_created = some_time;
  record.sequence = 1'000'000;
  record.last_time = some_time + 1h;
  record.clean_shutdown = true;
  record.last_group = 4;
  record.spool_messages = 12;
  record.spool_bytes = 120'000;
  return record;
}

/// Neither a prefix nor a flipped bit of a payload may do anything but decode or be called damaged.
template <class Decode>
void check_hostile(const std::string& payload, Decode decode) {
  for (std::size_t size = 0; size < payload.size(); ++size) {
    const auto result = decode(std::string_view{payload}.substr(0, size));
    REQUIRE(result.has_error());
    CHECK(result.error().fault == Fault::damaged);
  }
  for (std::size_t bit = 0; bit < payload.size() * 8; ++bit) {
    auto changed = payload;
    changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ (1 << (bit % 8)));
    const auto result = decode(changed);
    if (result.has_error())
      CHECK((result.error().fault == Fault::damaged || result.error().fault == Fault::invalid));
  }
  CHECK(decode(payload + 'x').has_error());
}

}  // namespace

TEST_CASE("every record survives writing and reading") {
  const auto message = some_message();
  CHECK((decode_message(message.key, encode(message)).value() == message));
  const auto spool = some_spool();
  CHECK((decode_spool(encode(spool)).value() == spool));
  const auto line = some_line();
  CHECK((decode_line(some_time, encode(line)).value() == line));
  const auto hub = some_hub();
  CHECK((decode_hub(encode(hub)).value() == hub));
  const ClusterRecord cluster{
      "node2", 7, ActivationKind::lossy, some_time, false, {{"node2", some_time}}, some_time + 1h};
  CHECK((decode_cluster(encode(cluster)).value() == cluster));
  const GroupRecord group{3, some_time, 10, 1000, 2, some_time + 1us, true, {{"node2", some_time}}};
  CHECK((decode_group(encode(group)).value() == group));
  const std::vector<Uuid> ids{new_uuid(some_time), new_uuid(some_time)};
  CHECK((decode_ids(encode(ids)).value() == ids));
}

TEST_CASE("a resubmission survives writing and reading, but for what lies elsewhere") {
  Resubmission record;
  record.id = new_uuid(some_time);
  record.key = "fill-7";
  record.group = {"ccr1", "sg1"};
  record.term = 7;
  record.state = ResubmissionState::cancelled;
  record.from = some_time;
  record.until = some_time + 1h;
  record.created_at = some_time + 2h;
  record.matched = 5;
  record.resubmitted = 4;
  record.delivered = 3;
  record.failed = 1;
  record.cancelled = 1;
  record.covered_from = some_time - 1h;
  record.complete = true;
  CHECK((decode_resubmission(record.id, encode(record)).value() == record));
  ResubmissionKeyRecord known;
  known.id = record.id;
  known.digest.fill(0xa5);
  CHECK((decode_resubmission_key(encode(known)).value() == known));
}

TEST_CASE("the plan of a resubmission comes back as it went") {
  ResubmissionPlan plan;
  plan.choosing = true;
  plan.lifetime = 24h;
  plan.present = 3;
  plan.recipient = "alice@example.test";
  plan.message_id = "m@x";
  plan.next = some_time;
  plan.end = some_time + 1h;
  CHECK((decode_plan(encode(plan)).value() == plan));
  check_hostile(encode(plan), [](std::string_view payload) { return decode_plan(payload); });
}

TEST_CASE("damaged payloads are called damaged and never read past their end") {
  const auto key = new_uuid(some_time);
  check_hostile(encode(some_message()),
                [&](std::string_view payload) { return decode_message(key, payload); });
  check_hostile(encode(some_spool()), [](std::string_view payload) { return decode_spool(payload); });
  check_hostile(encode(some_line()),
                [](std::string_view payload) { return decode_line(some_time, payload); });
  check_hostile(encode(some_hub()), [](std::string_view payload) { return decode_hub(payload); });
}

TEST_CASE("the record of a newer hub is refused whatever else it holds") {
  Encoder out;
  out.number(format_version + 1);
  out.text("fields that this program does not know");
  const auto refused = decode_hub(out.take());
  REQUIRE(refused.has_error());
  CHECK(refused.error().fault == Fault::invalid);
  CHECK(refused.error().detail.find("up to " + std::to_string(format_version)) != std::string::npos);
}

TEST_CASE("the digest of a request tells apart what the asker said and nothing else") {
  ResubmissionRequest request;
  request.key = "key";
  request.group = {"ccr1", "sg1"};
  const auto digest = digest_of(request);
  auto other = request;
  other.by_agent = true;
  other.lifetime = 5h;
  CHECK(digest_of(other) == digest);
  other = request;
  other.items = std::vector<ResubmissionItem>{};
  CHECK(digest_of(other) != digest);
  other.items = std::vector<ResubmissionItem>{{new_uuid(some_time), 1, {"alice"}, {}}};
  const auto with_item = digest_of(other);
  other.items->front().outcome = ResubmissionItem::Outcome::present;
  CHECK(digest_of(other) != with_item);
  other = request;
  other.recipient = "alice";
  CHECK(digest_of(other) != digest);
  other.recipient.clear();
  other.message_id = "alice";
  CHECK(digest_of(other) != digest);
}

TEST_CASE("a cluster's record of an earlier program, which knew no hold, is read as not held") {
  ClusterRecord record;
  record.active = "node1";
  record.agent_seen = {{"node1", some_time}};
  const auto payload = encode(record);
  CHECK(decode_cluster(payload).value() == record);
  CHECK(decode_cluster(payload.substr(0, payload.size() - 1)).value() == record);
  record.held_until = some_time + 5min;
  CHECK(decode_cluster(encode(record)).value() == record);
}

TEST_CASE("events of a history are read as they were written, one behind the other") {
  HistoryEvent accepted;
  accepted.at = some_time;
  accepted.message = new_uuid(some_time);
  accepted.sender = "sender@example.test";
  accepted.message_id = "id@example.test";
  accepted.origin = "client [192.0.2.1]";
  accepted.size = 70'000;
  accepted.addresses = {"alice@example.test", "bob@example.test"};
  accepted.originals = {"boss@example.test", ""};
  accepted.recipients = {0, 1};
  HistoryEvent delivered;
  delivered.kind = HistoryEvent::Kind::delivered;
  delivered.at = some_time + 1s;
  delivered.message = accepted.message;
  delivered.recipients = {1};
  delivered.attempt = 3;
  delivered.group = StorageGroup{"ccr1", "sg1"};
  delivered.where = "node1";
  delivered.reply = "250 2.0.0 stored";
  delivered.retained = true;
  delivered.resubmission = new_uuid(some_time);
  HistoryEvent held;
  held.kind = HistoryEvent::Kind::held;
  held.at = some_time + 2s;
  held.message = accepted.message;
  held.recipients = {0, 300};
  const auto payload = encode(accepted) + encode(delivered) + encode(held);
  CHECK(decode_history(payload).value() == std::vector{accepted, delivered, held});
  CHECK(decode_history("").value().empty());
  CHECK(decode_history(payload.substr(0, payload.size() - 1)).has_error());
}
