#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "dumpster/instant.hpp"
#include "dumpster/message.hpp"
#include "dumpster/uuid.hpp"

namespace dumpster {

/// The unit of replication, retention and recovery, written `cluster/group`.
struct StorageGroup {
  std::string cluster;
  std::string group;

  auto operator<=>(const StorageGroup&) const = default;
};

/// What the hub knows of a delivery.
enum class DeliveryState : std::uint8_t {
  delivered = 1,     ///< the node answered `250`, or evidence said that it is there
  in_doubt = 2,      ///< tried, and the outcome is not known
  absent = 3,        ///< delivered, but never in the active node's own inventory: not lost, not filled
  resubmitting = 4,  ///< to be delivered again; its recipients are in the spool
  failed = 5,        ///< a resubmission that the node refused for good
};

std::string_view to_string(DeliveryState state);
std::optional<DeliveryState> delivery_state_from(std::string_view text);

/// One recipient within a delivery.
struct DeliveryRecipient {
  std::uint32_t index = 0;  ///< place in the message's envelope
  std::string address;
  std::string mailbox;  ///< the name by which inventories know the mailbox

  bool operator==(const DeliveryRecipient&) const = default;
};

/// One message handed to one storage group's active node in one transaction: a line of the dumpster.
/// Lines of a group are kept in the order of `delivered_at`, which is unique within a hub.
struct Delivery {
  Uuid delivery_id;
  Uuid message;
  std::string message_id;
  std::uint64_t size = 0;
  Instant delivered_at{};
  std::string node;
  std::uint64_t term = 0;
  std::uint32_t attempt = 0;
  DeliveryState state = DeliveryState::delivered;
  bool ever_delivered =
      false;          ///< false while every attempt is in doubt: such mail bounces as a first delivery does
  Uuid resubmission;  ///< while `resubmitting`; nil otherwise
  std::vector<DeliveryRecipient> recipients;

  bool operator==(const Delivery&) const = default;
};

}  // namespace dumpster
