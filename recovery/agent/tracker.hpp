#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "recovery/agent/inventory.hpp"
#include "recovery/agent/ledger.hpp"
#include "recovery/agent/surroundings.hpp"

namespace recovery::agent {

/// A delivery of which this node has not been seen to have every copy.
struct PendingLine {
  ListedDelivery line;
  dumpster::Duration next_look{};            ///< by the agent's steady clock
  std::optional<dumpster::Duration> missed;  ///< since when a live mailbox has been found without it
};

/// One dumpster while it is followed.
struct Followed {
  Watermark mark;
  std::map<Instant, PendingLine> pending;  ///< by time of delivery, which is unique within a hub
  std::optional<Instant> lost_before;      ///< of the hub, as far as it has been taken into account
  Instant now{};                           ///< of the hub, at its last listing
  dumpster::Duration next_reconcile{};
  dumpster::Duration span{};  ///< of the next page of a long listing; 0: to the end
  std::uint64_t evicted =
      0;                ///< deliveries that left the dumpster unconfirmed; a gap between two listings is one
  bool gap = false;     ///< the last listing did not reach back to the one before
  bool primed = false;  ///< the ledger's watermark has been taken up

  /// The oldest delivery that counts as replication lag.
  std::optional<Instant> oldest_unconfirmed() const;
};

/// What a look into mailboxes found out.
struct TrackerLook {
  std::set<std::string> mailboxes;  ///< that were looked at
  Inventory inventory;
  std::uint64_t confirmed = 0;  ///< recipients
};

/// Follows what the hubs deliver, and ticks off what this node has. In memory is what is not confirmed; the
/// ledger has the rest. One for the life of `watch`; not thread-safe but for `follow`, which may run for
/// different hubs side by side.
class Tracker {
 public:
  explicit Tracker(Surroundings& surroundings) : surroundings_(surroundings) {}

  /// From now on it works with this ledger; another marker than before drops all that is in memory.
  void use(Ledger& ledger);
  /// Makes room for a hub's dumpsters, before `follow` runs for several.
  void prepare(const HubWork& hub);

  /// Takes in what the hub has delivered since the last time. From time to time it asks behind that, too:
  /// lines move when they are delivered again, and are called absent, purged or evicted.
  HubResult<void> follow(HubWork& hub, const std::string& group);

  /// Looks into mailboxes with unconfirmed deliveries, at the most `most_mailboxes` of those whose turn it
  /// is, and confirms what is there. Nothing when there is none; an error when the inventory cannot be taken.
  dumpster::Result<std::optional<TrackerLook>> look(std::size_t most_mailboxes, dumpster::Duration poll);

  /// Brings the watermarks into the ledger; the caller saves it.
  void mark();

  std::map<DumpsterName, Followed>& dumpsters() { return dumpsters_; }

 private:
  void take_in(Followed& followed, ListedDelivery line) const;
  void prime(const DumpsterName& name, Followed& followed, const HubWork& hub) const;
  void remember_gap(const HubWork& hub, Instant from, const ListingEnd& end, Followed& followed) const;
  HubResult<bool> take_page(HubWork& hub, const std::string& group, Followed& followed) const;
  HubResult<void> reconcile(HubWork& hub, const std::string& group, Followed& followed) const;
  void confirm(const DumpsterName& name, const ListedDelivery& line, TrackerLook& look) const;

  Surroundings& surroundings_;
  Ledger* ledger_ = nullptr;
  std::string marker_;
  std::map<DumpsterName, Followed> dumpsters_;
};

/// The recipients of a line that `confirmed` does not have: of several that end at one mailbox, as many as
/// there are copies too few.
std::vector<ListedRecipient> unconfirmed_of(const ListedDelivery& line, const Confirmations& confirmed);

}  // namespace recovery::agent
