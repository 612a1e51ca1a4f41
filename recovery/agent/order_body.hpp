#pragma once

#include <cstddef>
#include <set>
#include <string>
#include <vector>

#include "recovery/agent/comparison.hpp"

namespace recovery::agent {

/// How many decisions go into one request at the most.
inline constexpr std::size_t decisions_in_order = 5'000;

struct OrderHead {
  std::string key;
  Instant from{};
  Instant until{};
  std::string node;
  std::uint64_t term = 0;
};

/// The JSON of a request for exactly these recipients.
std::string order_body(const OrderHead& head, const std::vector<Decision>& decisions);

/// What an order of an earlier run named.
struct OrderContent {
  std::set<dumpster::Uuid> resubmitted;
  std::size_t settled = 0;  ///< recipients named as present
};
OrderContent content_of_order(const std::string& body);

}  // namespace recovery::agent
