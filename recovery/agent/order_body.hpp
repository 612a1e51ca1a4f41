#pragma once

#include <cstddef>
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

/// What an order of an earlier run named. A body does not say when something was delivered, nor to which
/// mailbox: the decisions have the start of the order's window, and no mailbox.
struct OrderContent {
  std::vector<Decision> deliver;
  std::size_t settled = 0;  ///< recipients named as present
};
OrderContent content_of_order(const std::string& body);

}  // namespace recovery::agent
