#include "relay/queue/back_off.hpp"

#include <catch2/catch.hpp>

using namespace std::chrono_literals;
using relay::BackOff;

TEST_CASE("back-off begins at retry_min and doubles up to retry_max") {
  const BackOff back_off{5s, 60s};
  CHECK(back_off.after(1, 0.5) == 5s);
  CHECK(back_off.after(2, 0.5) == 10s);
  CHECK(back_off.after(4, 0.5) == 40s);
  CHECK(back_off.after(5, 0.5) == 60s);
  CHECK(back_off.after(4'000'000'000, 0.5) == 60s);
}

TEST_CASE("back-off varies by a tenth so that what failed together does not come back together") {
  const BackOff back_off{10s, 60s};
  CHECK(back_off.after(1, 0.0) == 9s);
  CHECK(back_off.after(1, 0.999) > 10900ms);
  CHECK(back_off.after(1, 0.999) < 11s);
}
