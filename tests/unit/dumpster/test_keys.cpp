#include <catch2/catch.hpp>

#include "dumpster/rocksdb/keys.hpp"

using namespace dumpster;
using namespace dumpster::rocks;
using namespace std::chrono_literals;

TEST_CASE("lines sort by group, then by time, also before 1970") {
  const Instant epoch{};
  CHECK(key::line(1, Instant::min()) < key::line(1, epoch - 1us));
  CHECK(key::line(1, epoch - 1us) < key::line(1, epoch));
  CHECK(key::line(1, epoch) < key::line(1, epoch + 256us));
  CHECK(key::line(1, Instant::max()) < key::line(2, Instant::min()));
  CHECK(key::delivered_at(key::line(7, epoch - 5us)) == epoch - 5us);
  CHECK(key::group_number(key::line(7, epoch)) == 7);
}

TEST_CASE("names with the same letters in another division have other keys") {
  CHECK(key::group({"a", "bc"}) != key::group({"ab", "c"}));
  CHECK(key::resubmission_key({"a", "b"}, "c") != key::resubmission_key({"a", "bc"}, ""));
  const StorageGroup group{"cluster", "group"};
  CHECK(key::group_of(key::group(group)) == group);
}

TEST_CASE("ids give the time back, and a prefix ends before the next one") {
  const auto id = new_uuid(Instant{Duration{1'700'000'000'000'000}});
  const Instant time{Duration{42}};
  const auto made = key::id(3, id, time);
  CHECK(key::delivered_at_of_id(made) == time);
  const auto prefix = key::ids_of(3, id);
  CHECK(made.starts_with(prefix));
  CHECK(made < key::behind(prefix));
  CHECK(key::behind("a\xff") == "b");
  CHECK(key::behind("\xff\xff").empty());
}

TEST_CASE("chunks of a body sort by number") {
  const auto message = new_uuid(Instant{});
  CHECK(key::chunk(message, 255) < key::chunk(message, 256));
  CHECK(key::chunk_number(key::chunk(message, 256)) == 256);
  CHECK(key::is_references(key::references(message)));
  CHECK_FALSE(key::is_references(key::message(message)));
}
