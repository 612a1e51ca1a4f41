#include "metrics/agent_metrics.hpp"

#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/gauge.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

namespace metrics {
namespace {

using prometheus::Counter;
using prometheus::Family;
using prometheus::Gauge;
using Labels = prometheus::Labels;

Family<Counter>& counter(prometheus::Registry& registry, const char* name, const char* help) {
  return prometheus::BuildCounter().Name(name).Help(help).Register(registry);
}

Family<Gauge>& gauge(prometheus::Registry& registry, const char* name, const char* help) {
  return prometheus::BuildGauge().Name(name).Help(help).Register(registry);
}

double number(std::uint64_t value) {
  return static_cast<double>(value);
}

}  // namespace

/// Name, unit and help of every metric, once.
struct AgentMetrics::Families {
  explicit Families(std::string_view cluster_name) : cluster{{"cluster", std::string{cluster_name}}} {}

  Labels with(std::string_view name, std::string_view value) const {
    Labels labels = cluster;
    labels[std::string{name}] = std::string{value};
    return labels;
  }

  Labels cluster;
  prometheus::Registry registry;

  Family<Gauge>& active = gauge(registry, "agent_active", "1 while this node is the active one.");
  Family<Gauge>& term = gauge(registry, "agent_term", "The own term while active, else the highest seen.");
  Family<Gauge>& store_valid =
      gauge(registry, "agent_store_valid", "1 while the mail store is there and carries this node's marker.");
  Family<Gauge>& standing_aside =
      gauge(registry, "agent_standing_aside",
            "1 while a hub calls this node active and the agent may not act for it: promote it.");
  Family<Gauge>& hubs = gauge(registry, "agent_hubs", "Hubs by state: reached, away, pending, never_asked.");
  Family<Gauge>& lag = gauge(registry, "agent_replication_lag_seconds",
                             "Age of the oldest delivery that this node does not have, over all hubs.");
  Family<Gauge>& unconfirmed =
      gauge(registry, "agent_unconfirmed_deliveries", "Deliveries that this node has not been seen to have.");
  Family<Counter>& evicted = counter(registry, "agent_evicted_unconfirmed_total",
                                     "Deliveries that left a dumpster before this node had them.");
  Family<Counter>& confirmed =
      counter(registry, "agent_confirmed_total", "Recipients whose mail was found on this node.");
  Family<Counter>& absent =
      counter(registry, "agent_absent_total", "Recipients reported as absent by this active node.");
  Family<Counter>& settled = counter(registry, "agent_in_doubt_settled_total",
                                     "Recipients in doubt that were settled: present, deliver.");
  Family<Gauge>& ledger_entries = gauge(registry, "agent_ledger_entries", "Confirmations that are kept.");
  Family<Counter>& rounds = counter(registry, "agent_rounds_total", "Rounds of watch: done, failed.");
  Family<Gauge>& round_seconds =
      gauge(registry, "agent_round_duration_seconds", "How long the last round took.");
  Family<Gauge>& round_at = gauge(registry, "agent_last_round_timestamp_seconds",
                                  "When the last round ended, in seconds since 1970.");
};

AgentMetrics::AgentMetrics(std::string_view cluster) : families_(std::make_unique<Families>(cluster)) {
  // Counters are there from the start, so that their first step shows.
  confirmed(0);
  absent(0);
  settled(0, 0);
  for (const char* result : {"done", "failed"})
    families_->rounds.Add(families_->with("result", result));
}

AgentMetrics::~AgentMetrics() = default;

void AgentMetrics::role(bool active, std::uint64_t term) {
  families_->active.Add(families_->cluster).Set(active ? 1 : 0);
  families_->term.Add(families_->cluster).Set(number(term));
}

void AgentMetrics::store_valid(bool valid) {
  families_->store_valid.Add(families_->cluster).Set(valid ? 1 : 0);
}

void AgentMetrics::standing_aside(bool aside) {
  families_->standing_aside.Add(families_->cluster).Set(aside ? 1 : 0);
}

void AgentMetrics::hubs(std::uint64_t reached, std::uint64_t away, std::uint64_t pending,
                        std::uint64_t never_asked) {
  families_->hubs.Add(families_->with("state", "reached")).Set(number(reached));
  families_->hubs.Add(families_->with("state", "away")).Set(number(away));
  families_->hubs.Add(families_->with("state", "pending")).Set(number(pending));
  families_->hubs.Add(families_->with("state", "never_asked")).Set(number(never_asked));
}

void AgentMetrics::replication(std::string_view group, double lag_seconds, std::uint64_t unconfirmed) {
  const Labels labels = families_->with("storage_group", group);
  families_->lag.Add(labels).Set(lag_seconds);
  families_->unconfirmed.Add(labels).Set(number(unconfirmed));
  families_->evicted.Add(labels);
}

void AgentMetrics::evicted_unconfirmed(std::string_view group, std::uint64_t deliveries) {
  families_->evicted.Add(families_->with("storage_group", group)).Increment(number(deliveries));
}

void AgentMetrics::confirmed(std::uint64_t recipients) {
  families_->confirmed.Add(families_->cluster).Increment(number(recipients));
}

void AgentMetrics::absent(std::uint64_t recipients) {
  families_->absent.Add(families_->cluster).Increment(number(recipients));
}

void AgentMetrics::settled(std::uint64_t present, std::uint64_t delivered) {
  families_->settled.Add(families_->with("outcome", "present")).Increment(number(present));
  families_->settled.Add(families_->with("outcome", "deliver")).Increment(number(delivered));
}

void AgentMetrics::ledger_entries(std::uint64_t entries) {
  families_->ledger_entries.Add(families_->cluster).Set(number(entries));
}

void AgentMetrics::round_ended(bool done) {
  families_->rounds.Add(families_->with("result", done ? "done" : "failed")).Increment();
}

void AgentMetrics::round_took(double seconds, double ended_at) {
  families_->round_seconds.Add(families_->cluster).Set(seconds);
  families_->round_at.Add(families_->cluster).Set(ended_at);
}

std::string AgentMetrics::exposition() const {
  return prometheus::TextSerializer{}.Serialize(families_->registry.Collect());
}

}  // namespace metrics
