#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "recovery/agent/filling.hpp"
#include "recovery/agent/operation.hpp"

namespace recovery::agent {

/// The steps that promote and fill have in common. Each gives false when the operation is over; the report
/// then says why.
class OperationSteps {
 public:
  OperationSteps(Surroundings& surroundings, std::string operation);

  Report& report() { return report_; }
  State& state() { return state_; }
  std::vector<HubWork>& hubs() { return hubs_; }

  bool load();
  bool save();
  /// Lets hubs count this agent as being in touch only while it may act for its node. To be called again when
  /// role or store have changed.
  void choose_contact();

  /// What an operation does about a store that is not the one the state knows.
  enum class StoreRule {
    look,         ///< changes nothing; a foreign one is noted
    require_own,  ///< a foreign one is an error; one that never had a marker gets one
    take_over,    ///< it gets a marker, and nothing counts as confirmed any more
    take_bare,    ///< the same for an empty one, which otherwise is an error
  };
  /// Looks at the store's marker and, where it counts, opens the ledger. False when the store is not there.
  bool check_store(StoreRule rule);
  StoreStanding standing() const { return standing_; }
  /// Null: nothing is confirmed.
  Ledger* ledger() { return ledger_; }

  /// Asks every hub who it is and how the cluster stands, side by side. Keeps what is new of hubs and nodes
  /// in the state, which is not saved yet. Hubs that disagree about the nodes are an error: terms would mean
  /// different things.
  bool survey();

  /// The highest term that any hub or the agent has seen.
  std::uint64_t highest_term() const;
  /// The hub that names another node as active in this term or a higher one; null when there is none.
  const HubWork* opponent(std::uint64_t term) const;

  /// Hubs of the promote in the state that are away, and whose retention is over since it was ordered, are
  /// not waited for any more: what they had delivered before is gone, and stands in the state as never asked
  /// for. One that comes back gets the activation all the same. A promote that has reached no hub at all is
  /// kept: it is an order still to be carried out. Gives those of now; the state is not saved yet.
  std::vector<std::string> give_up_on_late_hubs();

  /// The promote in the state, on every hub that was reached and is not filled yet: activation.
  bool activate();
  /// Quiesce, settle, compare, fill, tell that it is recovered.
  bool complete();

  /// Fills windows that begin at each hub's `from`.
  bool fill_from(Filling::Options options);
  /// How long nothing may be delivered before a filling that was asked for leaves the rest to the hubs.
  dumpster::Duration patience() const;

  bool fail(std::string error);
  bool lose(const HubWork& hub);  ///< to a higher term there: what was pending is dropped
  /// This node is not active any more: its store gets another marker, so that nothing that was confirmed in
  /// the active role counts later. Not saved yet.
  void become_passive();

  /// Where the window on this hub starts, for a promote that was ordered at `started` and `now` there: behind
  /// what was confirmed where `watch` has run, else at `lookback`. Says in the report what left a dumpster
  /// unconfirmed. Sets the hub's `open_since`, which is later than the window's start by the margin.
  Instant window_start(HubWork& hub, Instant now, Instant started);

  /// The report at its end.
  Report finish();

 private:
  void ask(HubWork& hub);
  bool keep_news();
  void activate_on(HubWork& hub);
  bool retry_above_own_terms();
  bool fence();
  bool take_marker();
  bool open_ledger();
  bool keep_for_late_hubs();
  void tell_recovered(HubWork& hub);

  Surroundings& surroundings_;
  Report report_;
  State state_;
  std::vector<HubWork> hubs_;
  StoreStanding standing_ = StoreStanding::unmarked;
  Ledger* ledger_ = nullptr;
};

/// Chooses this node's next term above `highest`; nothing when the node is not one of the cluster.
std::optional<std::uint64_t> own_next_term(const State& state, const std::string& node,
                                           std::uint64_t highest);

}  // namespace recovery::agent
