#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "recovery/agent/comparison.hpp"
#include "recovery/agent/ledger.hpp"
#include "recovery/agent/report.hpp"
#include "recovery/agent/stable_inventory.hpp"
#include "recovery/agent/surroundings.hpp"

namespace recovery::agent {

/// Compares what hubs delivered with what this node has, and has the difference delivered, in rounds: what
/// falls in doubt on the way is decided when its outcome is settled, and a round ends the filling when
/// nothing is pending any more.
///
/// Coverage is judged at the first listing. From then on a delivery matters only while it is to be asked for:
/// one that is gone when its hub gets the request is looked for once more, in the dumpster and in its
/// mailbox, and what is in neither is missing and not covered.
class Filling {
 public:
  struct Options {
    Standpoint standpoint;
    std::set<std::string> mailboxes;  ///< only these; empty: all
    /// So long nothing may be delivered before what still waits is left to the hubs, which go on trying: a
    /// mailbox may answer 4xx for days. The state keeps those orders.
    dumpster::Duration patience{};
    LedgerStore* ledger = nullptr;  ///< gets what was found; null: nothing is kept
    bool dry_run = false;
    std::function<bool()> save;  ///< makes the state durable; false: the operation must end
  };

  Filling(Surroundings& surroundings, State& state, Report& report, std::vector<HubWork>& hubs,
          Options options);

  /// Fills on every hub that is going. Those on which it came to the end are still going then. False when it
  /// broke off for all (the report then has an error or a conflict).
  bool run();

 private:
  /// A recipient whose delivery a hub did not find when it was asked for.
  struct Sought {
    Instant delivered_at{};
    std::string mailbox;  ///< empty: an earlier run knew it
    std::string message_id;
  };
  struct GroupWork {
    std::string name;
    std::vector<ListedDelivery> lines;  ///< of the last listing
    Instant listed_at{};                ///< the first listing's `now`
    Instant now{};                      ///< the last listing's
    std::set<dumpster::Uuid> resubmitted;
    std::set<std::pair<dumpster::Uuid, std::uint32_t>>
        decided;  ///< delivery and attempt: each is ordered once
    std::map<std::pair<dumpster::Uuid, std::string>, Sought> sought;  ///< by delivery and address
    std::size_t vanished = 0;  ///< recipients: in neither dumpster nor mailbox any more
  };
  struct RunningOrder {
    HubWork* hub = nullptr;
    PendingOrder order;
    std::vector<Decision> deliver;
    std::size_t settled = 0;  ///< recipients named as present
    std::string id;           ///< empty until the hub has answered
    ResubmissionAnswer last;
    bool over = false;
  };

  void prepare();
  void take_up_orders();
  void list(bool whole);
  HubResult<void> list_group(HubWork& hub, GroupWork& group, bool whole);
  void keep(GroupWork& group, ListedDelivery line) const;
  void judge_coverage(HubWork& hub, const GroupWork& group, const ListingEnd& end) const;
  void seek(const RunningOrder& order);
  static Instant window_start(const HubWork& hub, const GroupWork& group);
  static void found(GroupWork& group, const ListedDelivery& line);
  void judge_sought(HubWork& hub, GroupWork& group, const Inventory& inventory);
  Standpoint standpoint_of(const GroupWork& group) const;
  bool look(Inventory& inventory);
  void decide(const Inventory& inventory);
  void note_item(const HubWork& hub, const GroupWork& group, const Decision& decision, std::string outcome,
                 std::string reason);
  void note_items(const HubWork& hub, const GroupWork& group, const std::vector<Decision>& decisions);
  bool keep_found(const Inventory& inventory);
  std::map<InventoryKey, std::uint32_t> wanted_copies() const;
  bool is_confirmed(const InventoryKey& key, std::uint32_t wanted) const;
  void order(HubWork& hub, GroupWork& group, std::vector<Decision> decisions);
  bool send_orders();
  void send(RunningOrder& order);
  bool follow_orders();
  void follow(RunningOrder& order);
  bool close_orders();
  static void count(const RunningOrder& order);
  bool stands_still();
  void leave_the_rest();
  void refused(RunningOrder& order, const HubError& error);
  bool running() const;
  bool verify();
  bool list_resubmitted();
  bool fail(std::string error);
  bool settle_conflicts();

  Surroundings& surroundings_;
  State& state_;
  Report& report_;
  std::vector<HubWork>& hubs_;
  Options options_;
  std::map<HubWork*, std::vector<GroupWork>> groups_;
  std::vector<RunningOrder> orders_;
  std::map<HubWork*, std::size_t> unripe_;  ///< in-doubt recipients of the last round
  std::uint64_t settled_ = 0;               ///< recipients, when that changed the last time
  dumpster::Duration moved_at_{};           ///< which was then
  bool goes_on_ = false;  ///< with orders of an earlier run, which has tried what had failed before
  bool first_ = true;     ///< the first round
  bool again_ = false;    ///< a hub did not find what was named: list the whole window once more
};

}  // namespace recovery::agent
