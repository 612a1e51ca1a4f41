#pragma once

#include <atomic>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "lines.hpp"
#include "recovery/agent/operation.hpp"
#include "recovery/agent/surroundings.hpp"

namespace recovery::agent::test {

/// Mail found, as mailbox and number of the delivery.
using Found = std::vector<std::pair<std::string, std::uint8_t>>;

/// The node's mail, and everything that happened, in its order.
class World {
 public:
  void note(const std::string& event);
  std::vector<std::string> events() const;
  /// Where the first event that begins with `start` stands; -1 when there is none.
  int place_of(const std::string& start) const;
  std::size_t count_of(const std::string& start) const;

  void store(const std::string& mailbox, const dumpster::Uuid& delivery);
  /// Its reader deletes it.
  void remove(const std::string& mailbox, const dumpster::Uuid& delivery);
  std::set<std::string> mailboxes() const;
  Inventory inventory() const;

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> events_;
  std::vector<std::pair<std::string, dumpster::Uuid>> mail_;
};

class FakeClock final : public AgentClock {
 public:
  Instant now() const override { return at(2'000'000) + dumpster::Duration{passed_}; }
  dumpster::Duration elapsed() const override { return dumpster::Duration{passed_}; }
  bool pause(dumpster::Duration duration) override;

  std::atomic<std::int64_t> passed_{0};
  std::atomic<bool> stopped{false};
};

class FakeInventory final : public InventorySource {
 public:
  dumpster::Result<Inventory> take(const std::set<std::string>& mailboxes, Instant window_start) override;

  World* world = nullptr;
  dumpster::Result<std::optional<std::set<std::string>>> mailboxes() override;

  std::vector<Found> looks;  ///< one after the other; then, and without any, what the world has
  std::set<std::string> unknown;
  int fails_from = -1;  ///< the number of the look that fails first
  int taken = 0;
  std::vector<Instant> starts;
};

/// A mail store that can be unmounted, wiped and restored.
class FakeMarker final : public MarkerPlace {
 public:
  std::string name() const override { return "the fake store"; }
  dumpster::Result<std::optional<std::string>> read() override;
  dumpster::Result<bool> bare() override { return is_bare; }
  dumpster::Result<void> write(const std::string& marker) override;

  bool is_there = true;
  bool is_bare = false;
  std::optional<std::string> kept;
};

/// A ledger in memory that loses what was not saved.
class FakeLedger final : public LedgerStore {
 public:
  dumpster::Result<Ledger*> open(const std::string& marker) override;
  void confirm(const Ledger::Entry& entry) override { ledger.confirm(entry); }
  void set_watermark(const DumpsterName& dumpster, const Watermark& watermark) override {
    ledger.set_watermark(dumpster, watermark);
  }
  dumpster::Result<void> save() override;
  dumpster::Result<void> compact(const std::map<DumpsterName, Instant>& keep_from, std::size_t most) override;

  Ledger ledger{""};
  Ledger saved{""};
};

class FakeState final : public StateStore {
 public:
  dumpster::Result<State> load() override;
  dumpster::Result<void> save(const State& state) override;

  World* world = nullptr;
  State kept;
  bool fails_to_load = false;
  bool fails_to_save = false;
};

/// A hub in memory. What it is told to deliver reaches the world's mailboxes, but for what it refuses or
/// loses.
class FakeHub final : public HubClient {
 public:
  explicit FakeHub(std::string address) : address_(std::move(address)) {}

  const std::string& address() const override { return address_; }
  void set_in_touch(bool now) override { in_touch = now; }
  HubResult<HubIdentity> hub() override;
  HubResult<ClusterStatus> cluster(const std::string& cluster) override;
  HubResult<ActivationAnswer> activate(const std::string& cluster, const std::string& node,
                                       std::uint64_t wanted, dumpster::ActivationKind kind) override;
  HubResult<ListingEnd> list(const dumpster::StorageGroup& group, const ListingQuery& query,
                             const std::function<void(ListedDelivery)>& line) override;
  HubResult<ResubmissionAnswer> resubmit(const dumpster::StorageGroup& group,
                                         const std::string& body) override;
  HubResult<ResubmissionAnswer> resubmission(const std::string& id) override;
  HubResult<void> absent(const dumpster::StorageGroup& group, const std::string& body) override;
  HubResult<void> replicated(const dumpster::StorageGroup& group, const std::string& node,
                             Instant through) override;
  HubResult<void> recovered(const std::string& cluster, const std::string& node,
                            std::uint64_t wanted) override;

  World* world = nullptr;
  FakeClock* clock = nullptr;
  std::vector<ListedDelivery> lines;
  std::vector<std::string> nodes{"node1", "node2"};
  std::string active = "node1";
  std::uint64_t term = 0;
  std::uint64_t hidden_term = 0;  ///< what `cluster` says less than the truth
  HubIdentity identity;
  Instant covered_from{};
  bool complete = true;
  std::optional<dumpster::Duration> max_time;
  bool reachable = true;
  bool in_touch = true;
  std::size_t contacts = 0;  ///< surveys and listings that count as the active node's agent being in touch
  bool breaks_listings = false;
  bool lost_after_resubmit = false;  ///< takes one order, and is out of reach from then on
  std::function<void()> before_order;
  std::function<void()> before_recovered;
  std::set<std::string> refused;        ///< mailboxes
  std::set<std::string> deferred;       ///< mailboxes that answer 4xx: the order stays running
  std::function<void()> before_answer;  ///< about an order that was taken before
  std::set<std::string> dropped;        ///< mailboxes that answer 250 and keep nothing
  std::vector<std::string> bodies;      ///< of all orders, in their order
  std::vector<std::string> absents;     ///< the bodies of all reports
  std::vector<Instant> through;         ///< of replication feedback
  std::set<std::string> keys;           ///< of the orders taken

 private:
  HubError unreachable() const;
  void note_contact() { contacts += in_touch && active == "node2" ? 1 : 0; }
  struct Item {
    dumpster::Uuid delivery;
    std::uint64_t attempt = 0;
    bool deliver = false;
  };
  struct Order {
    ResubmissionAnswer answer;
    std::vector<Item> waiting;  ///< whose mailboxes are deferred
  };
  Order take(const std::string& body);
  void carry_out(std::vector<Item> items, Order& order);
  bool is_deferred(const ListedDelivery& known) const;
  void settle(ListedDelivery& known, bool deliver, ResubmissionAnswer& answer);

  std::string address_;
  std::map<std::string, Order> orders_;
};

/// A node with its hubs, ready for an operation.
class Scene {
 public:
  explicit Scene(std::size_t hubs = 1);

  Report promote(const PromoteOptions& options = {}) { return agent::promote(surroundings, options); }
  /// Gives the node a marked mail store and a ledger, as `watch` has.
  void mark_store();
  Report fill() { return agent::fill(surroundings); }
  FakeHub& hub(std::size_t number = 0) { return *hubs[number]; }

  World world;
  FakeClock clock;
  FakeState* state = nullptr;
  FakeInventory* inventory = nullptr;
  FakeMarker* marker = nullptr;
  FakeLedger* ledger = nullptr;
  std::vector<FakeHub*> hubs;
  Surroundings surroundings;
};

}  // namespace recovery::agent::test
