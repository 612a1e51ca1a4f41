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

  /// Asks every hub who it is and how the cluster stands, side by side. Keeps what is new of hubs and nodes
  /// in the state, which is not saved yet. Hubs that disagree about the nodes are an error: terms would mean
  /// different things.
  bool survey();

  /// The highest term that any hub or the agent has seen.
  std::uint64_t highest_term() const;
  /// The hub that names another node as active in this term or a higher one; null when there is none.
  const HubWork* opponent(std::uint64_t term) const;

  /// The promote in the state, on every hub that was reached and is not filled yet: activation.
  bool activate();
  /// Quiesce, settle, compare, fill, tell that it is recovered.
  bool complete();

  /// Fills windows that begin at each hub's `from`.
  bool fill_from(Filling::Options options);

  bool fail(std::string error);
  bool lose(const HubWork& hub);  ///< to a higher term there: what was pending is dropped

  /// The report at its end.
  Report finish();

 private:
  void ask(HubWork& hub);
  bool keep_news();
  void activate_on(HubWork& hub);
  bool retry_above_own_terms();
  bool fence();
  void tell_recovered(HubWork& hub);

  Surroundings& surroundings_;
  Report report_;
  State state_;
  std::vector<HubWork> hubs_;
};

/// Chooses this node's next term above `highest`; nothing when the node is not one of the cluster.
std::optional<std::uint64_t> own_next_term(const State& state, const std::string& node,
                                           std::uint64_t highest);

}  // namespace recovery::agent
