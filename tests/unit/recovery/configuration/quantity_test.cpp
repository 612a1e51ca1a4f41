#include "recovery/configuration/quantity.hpp"

#include <catch2/catch.hpp>

using namespace recovery;
using namespace std::chrono_literals;

TEST_CASE("sizes are whole numbers with a binary unit") {
  CHECK(bytes_from("0") == 0U);
  CHECK(bytes_from("7B") == 7U);
  CHECK(bytes_from("3KiB") == 3072U);
  CHECK(bytes_from("18MiB") == 18U << 20);
  CHECK(bytes_from("1GiB") == 1U << 30);
  CHECK(bytes_from("2TiB") == 2ULL << 40);
}

TEST_CASE("sizes in any other form are refused") {
  for (const char* text :
       {"", "18", "18MB", "18 MiB", "-1B", "1.5GiB", "MiB", "18mib", "0x10B", "+1B", "1B "}) {
    CAPTURE(text);
    CHECK_FALSE(bytes_from(text));
  }
}

TEST_CASE("sizes that do not fit into 64 bits are refused") {
  CHECK(bytes_from("18446744073709551615B"));
  CHECK_FALSE(bytes_from("18446744073709551616B"));
  CHECK_FALSE(bytes_from("16777216TiB"));
}

TEST_CASE("times are whole numbers with a unit from us to d") {
  CHECK(duration_from("0") == 0us);
  CHECK(duration_from("9us") == 9us);
  CHECK(duration_from("250ms") == 250ms);
  CHECK(duration_from("90s") == 90s);
  CHECK(duration_from("15m") == 15min);
  CHECK(duration_from("12h") == 12h);
  CHECK(duration_from("7d") == 168h);
}

TEST_CASE("times in any other form and those that do not fit are refused") {
  for (const char* text :
       {"", "5", "5min", "-5s", "1.5s", "s", "5 s", "9223372036854775808us", "200000000d"}) {
    CAPTURE(text);
    CHECK_FALSE(duration_from(text));
  }
}

TEST_CASE("a quantity is written in the largest unit that keeps it whole") {
  CHECK(bytes_to_string(0) == "0");
  CHECK(bytes_to_string(18U << 20) == "18MiB");
  CHECK(bytes_to_string((1U << 20) + 1) == "1048577B");
  CHECK(duration_to_string(90s) == "90s");
  CHECK(duration_to_string(168h) == "7d");
  CHECK(duration_to_string(-1500ms) == "-1500ms");
}
