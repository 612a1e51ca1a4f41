#include <catch2/catch.hpp>

#include "dumpster/records.hpp"
#include "dumpster/traffic.hpp"

using namespace dumpster;
using namespace std::chrono_literals;

namespace {

const Instant noon{std::chrono::floor<std::chrono::hours>(Instant{Duration{1'800'000'000'000'000}})};

}  // namespace

TEST_CASE("the size needed is the most that came within any stretch of the wanted length") {
  Traffic traffic{noon};
  traffic.add(noon, 1, 100);
  traffic.add(noon + 5h, 1, 700);
  traffic.add(noon + 6h, 2, 600);
  traffic.add(noon + 40h, 1, 200);
  const auto now = noon + 48h;
  // Within full hours: whatever lies in 5:00 to 6:59 can come within one hour.
  CHECK(size_needed(traffic, now, 1h).bytes == 1300);
  CHECK(size_needed(traffic, now, 4h).bytes == 1300);
  CHECK(size_needed(traffic, now, 6h).bytes == 1400);
  CHECK(size_needed(traffic, now, 48h).bytes == 1600);
  CHECK(size_needed(traffic, now, 48h).measured == 48h);
}

TEST_CASE("what has not been seen for the wanted time is estimated from what has") {
  Traffic traffic{noon};
  traffic.add(noon + 1h, 1, 1000);
  CHECK(size_needed(traffic, noon + 2h, 24h).bytes == 12'000);
  CHECK(size_needed(traffic, noon + 2h, 24h).measured == 2h);
  SECTION("and less than an hour counts as one") {
    Traffic fresh{noon};
    fresh.add(noon, 1, 1000);
    CHECK(size_needed(fresh, noon + 1s, 24h).bytes == 24'000);
  }
  SECTION("a clock that stands before the beginning has measured nothing") {
    CHECK(size_needed(traffic, noon - 1h, 24h).measured == 0s);
  }
}

TEST_CASE("traffic is kept for eight days, and hours without mail take no room") {
  Traffic traffic{noon};
  for (int hour = 0; hour < 24 * 20; hour += 2)
    traffic.add(noon + std::chrono::hours{hour}, 1, 10);
  CHECK(traffic.hours().size() == 24 * 8 / 2 + 1);
  CHECK(size_needed(traffic, noon + 24h * 20, 24h * 7).bytes == (24 * 7 / 2 + 1) * 10);
  CHECK(size_needed(traffic, noon + 24h * 20, 24h * 16).measured == Traffic::kept);
}

TEST_CASE("traffic under a clock that steps back counts in the latest hour known") {
  Traffic traffic{noon};
  traffic.add(noon + 3h, 1, 10);
  traffic.add(noon + 1h, 1, 5);
  REQUIRE(traffic.hours().size() == 1);
  CHECK(traffic.hours().front().bytes == 15);
  CHECK(traffic.hours().front().messages == 2);
}

TEST_CASE("traffic survives writing and reading, and hours out of order are damage") {
  Traffic traffic{noon};
  traffic.add(noon, 3, 100);
  traffic.add(noon + 2h, 1, 70);
  CHECK(decode_traffic(encode(traffic)).value() == traffic);
  const Traffic wrong{noon,
                      {{std::chrono::floor<std::chrono::hours>(noon + 1h), 1, 1},
                       {std::chrono::floor<std::chrono::hours>(noon), 1, 1}}};
  CHECK(decode_traffic(encode(wrong)).error().fault == Fault::damaged);
}
