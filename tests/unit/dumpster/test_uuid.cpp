#include <catch2/catch.hpp>
#include <set>

#include "dumpster/uuid.hpp"

using namespace dumpster;
using namespace std::chrono_literals;

namespace {
const Instant some_time{Duration{1'700'000'000'123'456}};
}

TEST_CASE("a new id is a UUIDv7 of its instant") {
  const Uuid uuid = new_uuid(some_time);
  const std::string text = to_string(uuid);
  CHECK(text.substr(0, 13) == "018bcfe5-687b");
  CHECK(text[14] == '7');
  CHECK(std::string{"89ab"}.find(text[19]) != std::string::npos);
  CHECK(new_uuid(some_time + 1ms) > uuid);
}

TEST_CASE("ids are in the order of their instants to the microsecond") {
  Uuid last = new_uuid(some_time);
  for (int i = 0; i < 2000; ++i) {
    const Uuid next = new_uuid(some_time + i * 1us + 1us);
    CHECK(next > last);
    last = next;
  }
}

TEST_CASE("new ids of one instant differ") {
  std::set<Uuid> made;
  for (int i = 0; i < 1000; ++i)
    made.insert(new_uuid(some_time));
  CHECK(made.size() == 1000);
}

TEST_CASE("an id survives writing and reading in either case") {
  const Uuid uuid = new_uuid(some_time);
  CHECK(uuid_from(to_string(uuid)) == uuid);
  CHECK(uuid_from("0192F5C4-7D1E-7A30-9F6B-3F1C2B7A9D10") ==
        uuid_from("0192f5c4-7d1e-7a30-9f6b-3f1c2b7a9d10"));
  CHECK(to_string(*uuid_from("0192F5C4-7D1E-7A30-9F6B-3F1C2B7A9D10")) ==
        "0192f5c4-7d1e-7a30-9f6b-3f1c2b7a9d10");
}

TEST_CASE("what is not the canonical text of an id is refused") {
  for (const auto* text : {"", "0192f5c4-7d1e-7a30-9f6b-3f1c2b7a9d1", "0192f5c4-7d1e-7a30-9f6b-3f1c2b7a9d100",
                           "0192f5c47d1e7a309f6b3f1c2b7a9d10", "0192f5c4-7d1e-7a30-9f6b-3f1c2b7a9d1g",
                           "{192f5c4-7d1e-7a30-9f6b-3f1c2b7a9d1}", "0192f5c4_7d1e_7a30_9f6b_3f1c2b7a9d10"}) {
    INFO(text);
    CHECK_FALSE(uuid_from(text));
  }
}

TEST_CASE("a delivery id follows from message and group alone and keeps the message's time") {
  const Uuid message = new_uuid(some_time);
  const Uuid id = delivery_id_of(message, "ccr1", "sg1");
  CHECK(delivery_id_of(message, "ccr1", "sg1") == id);
  CHECK(delivery_id_of(message, "ccr1", "sg2") != id);
  CHECK(delivery_id_of(message, "ccr2", "sg1") != id);
  CHECK(delivery_id_of(new_uuid(some_time), "ccr1", "sg1") != id);
  CHECK(id != message);
  const std::string text = to_string(id);
  CHECK(text.substr(0, 18) == to_string(message).substr(0, 18));
  CHECK(std::string{"89ab"}.find(text[19]) != std::string::npos);
}

TEST_CASE("the delivery id of a message never changes between versions") {
  const auto message = uuid_from("0192f5c4-7d1e-7a30-9f6b-3f1c2b7a9d10");
  REQUIRE(message);
  CHECK(to_string(delivery_id_of(*message, "ccr1", "sg1")) == "0192f5c4-7d1e-7a30-8663-5d22d87677ed");
}
