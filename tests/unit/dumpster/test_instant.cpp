#include <catch2/catch.hpp>

#include "dumpster/instant.hpp"

using namespace dumpster;
using namespace std::chrono_literals;

TEST_CASE("an instant is written in UTC with microseconds") {
  CHECK(to_rfc3339(Instant{}) == "1970-01-01T00:00:00.000000Z");
  CHECK(to_rfc3339(Instant{1us}) == "1970-01-01T00:00:00.000001Z");
  CHECK(to_rfc3339(Instant{-1us}) == "1969-12-31T23:59:59.999999Z");
  const Instant noon{std::chrono::sys_days{std::chrono::year{2026} / 1 / 31} + 12h + 1us};
  CHECK(to_rfc3339(noon) == "2026-01-31T12:00:00.000001Z");
}

TEST_CASE("an instant survives writing and reading") {
  for (const auto count : {0LL, 1LL, -1LL, 1'700'000'000'123'456LL, 253'402'300'799'999'999LL}) {
    const Instant instant{Duration{count}};
    CHECK(from_rfc3339(to_rfc3339(instant)) == instant);
  }
}

TEST_CASE("offsets and any number of fraction digits are understood") {
  const auto noon = from_rfc3339("2026-01-31T12:00:00Z");
  REQUIRE(noon);
  CHECK(from_rfc3339("2026-01-31T13:30:00+01:30") == noon);
  CHECK(from_rfc3339("2026-01-31T07:00:00.0-05:00") == noon);
  CHECK(from_rfc3339("2026-01-31t12:00:00z") == noon);
  CHECK(from_rfc3339("2026-01-31T12:00:00.5Z") == *noon + 500ms);
  CHECK(from_rfc3339("2026-01-31T12:00:00.1234569999Z") == *noon + 123456us);
  CHECK(from_rfc3339("2016-12-31T23:59:60Z") == from_rfc3339("2017-01-01T00:00:00Z"));
}

TEST_CASE("what is not an instant of RFC 3339 is refused") {
  for (const auto* text :
       {"", "2026", "2026-01-31", "2026-01-31T12:00:00", "2026-01-31 12:00:00Z", "2026-02-29T12:00:00Z",
        "2026-13-01T12:00:00Z", "2026-01-31T24:00:00Z", "2026-01-31T12:60:00Z", "2026-01-31T12:00:61Z",
        "2026-01-31T12:00:00.Z", "2026-01-31T12:00:00Zx", "2026-01-31T12:00:00+0100", "2026-1-31T12:00:00Z",
        "-026-01-31T12:00:00Z", "2026-01-31T+2:00:00Z", "2026-01-31T12:00:00+01:60"}) {
    INFO(text);
    CHECK_FALSE(from_rfc3339(text));
  }
}

TEST_CASE("the machine's clock is near the C++ clock") {
  const auto before = std::chrono::system_clock::now();
  const auto now = system_clock().now();
  CHECK(now >= std::chrono::floor<Duration>(before));
  CHECK(now - before < 1min);
}
