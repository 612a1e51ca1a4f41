#include <catch2/catch.hpp>
#include <limits>

#include "dumpster/codec.hpp"

using namespace dumpster;

TEST_CASE("what is encoded is read again") {
  Encoder out;
  const auto most = std::numeric_limits<std::uint64_t>::max();
  for (const auto number : {std::uint64_t{0}, std::uint64_t{127}, std::uint64_t{128}, most})
    out.number(number);
  out.flag(true);
  out.text("");
  out.text(std::string(300, 'x') + '\0');
  const Instant early{Duration{-5}};
  out.instant(early);
  out.instant(Instant::max());
  out.instant(Instant::min());
  const auto uuid = new_uuid(early + std::chrono::hours{1});
  out.uuid(uuid);
  const auto bytes = out.take();
  Decoder in{bytes};
  for (const auto number : {std::uint64_t{0}, std::uint64_t{127}, std::uint64_t{128}, most})
    CHECK(in.number() == number);
  CHECK(in.flag());
  CHECK(in.text().empty());
  CHECK(in.text() == std::string(300, 'x') + '\0');
  CHECK(in.instant() == early);
  CHECK(in.instant() == Instant::max());
  CHECK(in.instant() == Instant::min());
  CHECK(in.uuid() == uuid);
  CHECK_NOTHROW(in.expect_end());
}

TEST_CASE("small numbers take one byte") {
  Encoder out;
  out.number(127);
  CHECK(out.take().size() == 1);
}

TEST_CASE("a record that ends too early or says too much is malformed, never read past its end") {
  CHECK_THROWS_AS(Decoder{""}.byte(), Malformed);
  CHECK_THROWS_AS(Decoder{"\x02"}.flag(), Malformed);
  CHECK_THROWS_AS(Decoder{"\x80"}.number(), Malformed);
  CHECK_THROWS_AS(Decoder{std::string_view("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f")}.number(), Malformed);
  CHECK_THROWS_AS(Decoder{std::string_view("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01")}.number(),
                  Malformed);
  CHECK_THROWS_AS(Decoder{std::string_view("\xff\xff\xff\xff\x1f")}.number32(), Malformed);
  CHECK_THROWS_AS(Decoder{"\x05text"}.text(), Malformed);
  CHECK_THROWS_AS(Decoder{std::string_view("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01")}.text(), Malformed);
  CHECK_THROWS_AS(Decoder{"0123456789abcde"}.uuid(), Malformed);
  CHECK_THROWS_AS(Decoder{"\x02xxx"}.count(2), Malformed);
  CHECK(Decoder{"\x02xxxx"}.count(2) == 2);
  CHECK_THROWS_AS(Decoder{"x"}.expect_end(), Malformed);
}

TEST_CASE("a sealed value gives its payload back under its own key alone") {
  const auto value = seal("key", "payload");
  CHECK(value.size() == 7 + 5);
  const auto payload = unseal("key", value);
  REQUIRE(payload.has_value());
  CHECK(*payload == "payload");
  const auto moved = unseal("kez", value);
  REQUIRE(moved.has_error());
  CHECK(moved.error().fault == Fault::damaged);
  CHECK(unseal("", seal("", "")).has_value());
}

TEST_CASE("every flipped bit and every missing byte of a sealed value is found out") {
  const auto value = seal("key", "payload");
  for (std::size_t bit = 0; bit < value.size() * 8; ++bit) {
    auto damaged = value;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
    INFO(bit);
    const auto payload = unseal("key", damaged);
    REQUIRE(payload.has_error());
    CHECK(payload.error().fault == Fault::damaged);
  }
  for (std::size_t size = 0; size < value.size(); ++size) {
    CHECK(unseal("key", std::string_view{value}.substr(0, size)).has_error());
  }
}
