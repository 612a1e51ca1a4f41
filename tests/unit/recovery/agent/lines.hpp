#pragma once

#include <string>

#include "recovery/agent/hub_client.hpp"

/// Lines of listings for tests: ids by number, times in seconds.
namespace recovery::agent::test {

inline dumpster::Uuid id(std::uint8_t number) {
  dumpster::Uuid uuid;
  uuid.bytes[15] = number;
  return uuid;
}

inline Instant at(std::int64_t second) {
  return Instant{std::chrono::seconds{second}};
}

inline ListedDelivery line(std::uint8_t number, const std::string& mailbox, const std::string& node = "node1",
                           std::uint64_t term = 0,
                           dumpster::DeliveryState state = dumpster::DeliveryState::delivered) {
  ListedDelivery made;
  made.delivery_id = id(number);
  made.delivered_at = at(1'000'000 + number);
  made.node = node;
  made.term = term;
  made.attempt = 1;
  made.state = state;
  made.recipients.push_back({mailbox + "@example.test", mailbox});
  return made;
}

}  // namespace recovery::agent::test
