#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "recovery/agent/tracker.hpp"

namespace recovery::agent {

/// Finds what the active node was given and does not have (any more): what filters discard or forward, and
/// what readers fetch and delete. It is neither lost nor to be filled by another node later.
///
/// Something is called absent only when it was delivered to this node in its current term and under its
/// current marker, at least `settle` ago, and two looks at least 1.5 s apart found the mailbox without it but
/// with a later delivery of the same dumpster: an inventory that shows nothing proves nothing.
class Absence {
 public:
  Absence(Surroundings& surroundings, Tracker& tracker) : surroundings_(surroundings), tracker_(tracker) {}

  struct Standing {
    std::string node;
    std::uint64_t term = 0;
    const std::map<std::string, Instant>* since = nullptr;  ///< by hub
  };

  /// Judges what is pending by this look.
  void judge(const TrackerLook& look, const Ledger& ledger, const Standing& standing);

  /// Looks from time to time, a few mailboxes at once, whether what was confirmed is still there.
  dumpster::Result<void> sweep(const Ledger& ledger, const Standing& standing);

  /// Reports to the hubs that were reached. Gives the number of recipients; 0 for a hub that refuses, whose
  /// answer the next round's survey explains.
  std::size_t report(std::vector<HubWork>& hubs, const Standing& standing);

 private:
  using Latest = std::map<std::pair<std::string, DumpsterName>, Instant>;
  struct Gone {
    DumpsterName dumpster;
    Instant at{};
    std::string mailbox;
    dumpster::Uuid delivery;

    auto operator<=>(const Gone&) const = default;
  };

  static Latest latest_of(const Inventory& inventory, const Ledger& ledger);
  static bool has_later(const Latest& latest, const std::string& mailbox, const DumpsterName& name,
                        Instant at);
  bool is_own(const DumpsterName& name, Instant at, const Standing& standing) const;
  std::vector<std::string> next_mailboxes(const std::map<std::string, std::vector<Gone>>& candidates);
  std::vector<ListedDelivery> lines_of_gone(HubWork& hub, const std::string& group);

  Surroundings& surroundings_;
  Tracker& tracker_;
  std::map<DumpsterName, std::vector<ListedDelivery>> certain_;  ///< with the recipients to be reported
  std::map<Gone, dumpster::Duration> gone_;                      ///< confirmed, and missed since
  std::map<DumpsterName, std::vector<Gone>> certainly_gone_;
  std::set<Gone> told_;     ///< confirmed, and reported as gone
  std::string sweep_from_;  ///< the mailbox with which the next sweep begins
  dumpster::Duration next_sweep_{};
};

}  // namespace recovery::agent
