#include "recovery/agent/terms.hpp"

#include <catch2/catch.hpp>

using recovery::agent::next_term;

TEST_CASE("a term is the next above the highest whose remainder is the node's place") {
  CHECK(next_term(0, 0, 2) == 2);
  CHECK(next_term(0, 1, 2) == 1);
  CHECK(next_term(1, 1, 2) == 3);
  CHECK(next_term(1, 0, 2) == 2);
  CHECK(next_term(7, 1, 3) == 10);
  CHECK(next_term(7, 2, 3) == 8);
  CHECK(next_term(41, 0, 1) == 42);
}

TEST_CASE("terms of different nodes are never equal, and each is above what was seen") {
  for (std::size_t nodes = 1; nodes <= 4; ++nodes) {
    for (std::uint64_t highest = 0; highest < 20; ++highest) {
      for (std::size_t place = 0; place < nodes; ++place) {
        const std::uint64_t term = next_term(highest, place, nodes);
        CHECK(term > highest);
        CHECK(term <= highest + nodes);
        CHECK(term % nodes == place);
      }
    }
  }
}
