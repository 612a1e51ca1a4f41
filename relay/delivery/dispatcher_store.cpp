#include <algorithm>

#include "metrics/log.hpp"
#include "relay/delivery/dispatcher.hpp"

namespace relay {

namespace {

constexpr std::size_t messages_per_page = 1000;

}  // namespace

/// The node has taken the mail or has not: that is known here alone until the store can be told. Bounded by
/// what can be in flight, since nothing begins meanwhile.
void Dispatcher::keep_unrecorded(const Message& message,
                                 std::shared_ptr<const dumpster::AttemptOutcome> outcome,
                                 const std::optional<Destination>& in_flight_of, Request request) {
  Unrecorded kept{message, std::move(outcome), {}, std::move(request)};
  if (in_flight_of) {
    if (const auto* cluster = std::get_if<ClusterDestination>(&*in_flight_of))
      kept.cluster = cluster->cluster;
  }
  unrecorded_.push_back(std::move(kept));
}

bool Dispatcher::has_unrecorded(const std::string& cluster) const {
  return std::any_of(unrecorded_.begin(), unrecorded_.end(),
                     [&](const Unrecorded& kept) { return kept.cluster == cluster; });
}

void Dispatcher::look_after_store() {
  if (!store_.writable()) return;
  record_again();
  if (const auto reopened = store_.times_reopened(); reopened != store_reopened_) {
    store_reopened_ = reopened;
    for (const auto& [key, message] : messages_)
      to_reload_.push_back(key);
    reading_spool_again_ = true;
    read_spool_again(std::nullopt);
  }
  // What an activation has put back in doubt is known first, and then that it has.
  if (reading_spool_again_ || !to_reload_.empty() || !reloading_.empty()) return;
  for (auto& [name, cluster] : clusters_) {
    if (cluster.unsure) read_cluster_again(name);
  }
}

/// Recording is idempotent by message, attempt and recipient: what had been written after all stays as it is.
void Dispatcher::record_again() {
  for (auto& kept : std::exchange(unrecorded_, {})) {
    auto outcome = *kept.outcome;
    std::optional<Destination> destination;
    if (kept.cluster) {
      destination = ClusterDestination{*kept.cluster};
      ++connections_to(*destination).in_flight;
    }
    // The chunks of a large notification went with the failed write.
    const bool chunks_lost = outcome.notification && outcome.notification->body.empty();
    if (chunks_lost) outcome.notification = built(*kept.request);
    ++kept.message->recording;
    ++kept.message->recordings;
    ++recordings_;
    write(kept.message, std::move(outcome), std::move(destination), std::move(kept.request));
  }
}

/// Resubmissions and settlements whose answer was that the store cannot write may stand in it all the same.
void Dispatcher::read_spool_again(std::optional<dumpster::Uuid> after) {
  store_.scan_spool(after, messages_per_page,
                    [this](dumpster::Result<std::vector<dumpster::SpooledMessage>> page) {
                      on_own_thread([this, page = std::move(page)] {
                        // A failure comes with another opening, which begins again.
                        if (page && !page->empty()) {
                          for (const auto& spooled : *page) {
                            if (!messages_.contains(spooled.message.key))
                              to_reload_.push_back(spooled.message.key);
                          }
                          read_spool_again(page->back().message.key);
                        } else {
                          reading_spool_again_ = false;
                        }
                        reload_next();
                      });
                    });
}

void Dispatcher::read_cluster_again(const std::string& name) {
  store_.cluster_state(name, [this, name](dumpster::Result<dumpster::ClusterState> state) {
    if (!state) return;
    on_own_thread([this, name, state = std::move(*state)]() mutable {
      auto& cluster = clusters_.at(name);
      if (!cluster.unsure || cluster.activating) return;
      cluster.unsure = false;
      auto& connections = connections_to(ClusterDestination{name});
      if (state.term != cluster.state.term) {
        metrics::log_info("activated", {{"cluster", name}, {"node", state.active}, {"term", state.term}});
        connections.queue.reset();
      }
      cluster.state = std::move(state);
      pump(connections);
    });
  });
}

}  // namespace relay
