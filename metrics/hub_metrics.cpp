#include "metrics/hub_metrics.hpp"

#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

namespace metrics {
namespace {

using prometheus::Counter;
using prometheus::Family;
using prometheus::Gauge;
using prometheus::Histogram;
using Labels = prometheus::Labels;

Family<Counter>& counter(prometheus::Registry& registry, const char* name, const char* help) {
  return prometheus::BuildCounter().Name(name).Help(help).Register(registry);
}

Family<Gauge>& gauge(prometheus::Registry& registry, const char* name, const char* help) {
  return prometheus::BuildGauge().Name(name).Help(help).Register(registry);
}

Family<Histogram>& histogram(prometheus::Registry& registry, const char* name, const char* help) {
  return prometheus::BuildHistogram().Name(name).Help(help).Register(registry);
}

const Histogram::BucketBoundaries commit_seconds{.0001, .00025, .0005, .001, .0025, .005, .01, .025,
                                                 .05,   .1,     .25,   .5,   1,     2.5,  5,   10};
const Histogram::BucketBoundaries delivery_seconds{.001, .0025, .005, .01, .025, .05, .1, .25,
                                                   .5,   1,     2.5,  5,   10,   30,  60, 300};
const Histogram::BucketBoundaries batch_messages{1, 2, 4, 8, 16, 32, 64, 128, 256, 512};

Labels group_labels(std::string_view cluster, std::string_view group) {
  return {{"cluster", std::string{cluster}}, {"storage_group", std::string{group}}};
}

}  // namespace

/// Name, unit and help of every metric, once.
struct HubMetrics::Families {
  prometheus::Registry registry;

  Family<Gauge>& dumpster_messages =
      gauge(registry, "dumpster_messages", "Deliveries retained in the dumpster.");
  Family<Gauge>& dumpster_bytes = gauge(registry, "dumpster_bytes", "Bytes of the deliveries retained.");
  Family<Gauge>& dumpster_covered_from =
      gauge(registry, "dumpster_covered_from_timestamp_seconds",
            "Instant from which on the dumpster still holds every delivery, in seconds since 1970.");
  Family<Gauge>& dumpster_max_bytes =
      gauge(registry, "dumpster_max_bytes", "Size limit of the dumpster; 0 while retention is off.");
  Family<Gauge>& dumpster_needed_bytes =
      gauge(registry, "dumpster_needed_bytes",
            "Size with which the traffic of the last days would have been held for the whole time limit.");
  Family<Counter>& dumpster_retained =
      counter(registry, "dumpster_retained_total", "Deliveries put into the dumpster.");
  Family<Counter>& dumpster_removed_unconfirmed =
      counter(registry, "dumpster_removed_unconfirmed_total",
              "Deliveries that size or time removed before any node had confirmed them.");
  Family<Counter>& dumpster_removed =
      counter(registry, "dumpster_removed_total", "Deliveries that left the dumpster, by reason.");
  Family<Gauge>& dumpster_store_damaged =
      gauge(registry, "dumpster_store_damaged_places",
            "Records and parts of files that could not be read since the start.");
  Family<Counter>& dumpster_store_reopened = counter(
      registry, "dumpster_store_reopened_total", "Times the store was opened again after a failed write.");
  Family<Gauge>& dumpster_in_doubt =
      gauge(registry, "dumpster_in_doubt", "Recipients whose last attempt has an unknown outcome.");
  Family<Gauge>& cluster_active =
      gauge(registry, "cluster_active", "1 for the node that is active, 0 for the others.");
  Family<Gauge>& cluster_term = gauge(registry, "cluster_term", "Term of the last activation.");
  Family<Gauge>& cluster_agent_seen =
      gauge(registry, "cluster_agent_seen_timestamp_seconds",
            "When the agent of the node was last heard, in seconds since 1970.");
  Family<Gauge>& recovery_resubmissions =
      gauge(registry, "recovery_resubmissions", "Resubmissions by state.");
  Family<Counter>& recovery_messages =
      counter(registry, "recovery_messages_total", "Recipients of resubmissions, by result.");
  Family<Counter>& recovery_queries =
      counter(registry, "recovery_queries_total", "Requests to the recovery API, by status code.");
  Family<Gauge>& relay_connections = gauge(registry, "relay_connections", "Open connections of clients.");
  Family<Counter>& relay_received_messages =
      counter(registry, "relay_received_messages_total", "Messages accepted onto stable storage.");
  Family<Counter>& relay_received_bytes =
      counter(registry, "relay_received_bytes_total", "Bytes of the messages accepted.");
  Family<Counter>& relay_rejected =
      counter(registry, "relay_rejected_total", "Commands and messages refused, by reason.");
  Family<Counter>& relay_slowed_messages = counter(
      registry, "relay_slowed_messages_total",
      "Messages kept waiting before they were taken, since their destination takes mail more slowly.");
  Family<Gauge>& relay_spool_messages =
      gauge(registry, "relay_spool_messages", "Messages not yet settled for every recipient.");
  Family<Gauge>& relay_spool_bytes =
      gauge(registry, "relay_spool_bytes", "Bytes of the messages in the spool.");
  Family<Gauge>& relay_spool_oldest =
      gauge(registry, "relay_spool_oldest_seconds", "Age of the oldest message in the spool.");
  Family<Counter>& relay_deliveries =
      counter(registry, "relay_deliveries_total", "Recipients by route and result of the attempt.");
  Family<Counter>& relay_deleted =
      counter(registry, "relay_deleted_total", "Recipients that an operator took out of the spool.");
  Family<Histogram>& relay_delivery_duration =
      histogram(registry, "relay_delivery_duration_seconds", "Time of one transaction with a next hop.");
  Family<Histogram>& relay_commit_duration =
      histogram(registry, "relay_commit_duration_seconds", "Time of one synced write of the store.");
  Family<Histogram>& relay_commit_batch =
      histogram(registry, "relay_commit_batch_messages", "Changes that share one synced write.");
  Family<Gauge>& relay_load_shedding =
      gauge(registry, "relay_load_shedding", "1 while new mail is refused with 4xx.");
  Family<Counter>& relay_directory_reloads = counter(
      registry, "relay_directory_reloads_total", "Times the changed recipients file was read, by result.");
  Family<Gauge>& relay_directory_outdated =
      gauge(registry, "relay_directory_outdated",
            "1 while the recipients file that is there cannot be used and an older one counts.");
  Family<Counter>& relay_directory_queries =
      counter(registry, "relay_directory_queries_total", "Questions to the directory's server, by result.");

  // The hot path keeps its references: a look-up by labels costs more than the counting.
  Counter& received_messages = relay_received_messages.Add({});
  Counter& slowed_messages = relay_slowed_messages.Add({});
  Counter& received_bytes = relay_received_bytes.Add({});
  Histogram& commit_duration = relay_commit_duration.Add({}, commit_seconds);
  Histogram& commit_batch = relay_commit_batch.Add({}, batch_messages);
  Histogram& delivery_duration = relay_delivery_duration.Add({}, delivery_seconds);
  Counter& deleted_recipients = relay_deleted.Add({});
  Gauge& store_damaged = dumpster_store_damaged.Add({});
  Counter& store_reopened = dumpster_store_reopened.Add({});
  Gauge& spool_messages = relay_spool_messages.Add({});
  Gauge& spool_bytes = relay_spool_bytes.Add({});
  Gauge& spool_oldest = relay_spool_oldest.Add({});
  Gauge& load_shedding = relay_load_shedding.Add({});
  Gauge& directory_outdated = relay_directory_outdated.Add({});
};

HubMetrics::HubMetrics() : families_(std::make_unique<Families>()) {
  for (const char* state : {"running", "paused", "completed", "cancelled"})
    resubmissions(state, 0);
  for (const char* result : {"delivered", "failed", "cancelled"})
    resubmitted_messages(result, 0);
  for (const char* result : {"loaded", "failed"})
    families_->relay_directory_reloads.Add({{"result", result}});
  for (const char* result : {"answered", "failed"})
    families_->relay_directory_queries.Add({{"result", result}});
}

HubMetrics::~HubMetrics() = default;

void HubMetrics::storage_group(std::string_view cluster, std::string_view group, const GroupGauges& gauges) {
  const auto labels = group_labels(cluster, group);
  families_->dumpster_messages.Add(labels).Set(static_cast<double>(gauges.messages));
  families_->dumpster_bytes.Add(labels).Set(static_cast<double>(gauges.bytes));
  families_->dumpster_in_doubt.Add(labels).Set(static_cast<double>(gauges.in_doubt));
  families_->dumpster_covered_from.Add(labels).Set(gauges.covered_from_seconds);
  families_->dumpster_max_bytes.Add(labels).Set(static_cast<double>(gauges.max_bytes));
  families_->dumpster_needed_bytes.Add(labels).Set(static_cast<double>(gauges.needed_bytes));
  families_->dumpster_retained.Add(labels);
  for (const char* reason : {"size", "time", "replicated", "operator"})
    removed(cluster, group, reason, 0);
  removed_unconfirmed(cluster, group, 0);
}

void HubMetrics::removed_unconfirmed(std::string_view cluster, std::string_view group, std::uint64_t count) {
  families_->dumpster_removed_unconfirmed.Add(group_labels(cluster, group))
      .Increment(static_cast<double>(count));
}

void HubMetrics::damaged_places(std::uint64_t count) {
  families_->store_damaged.Set(static_cast<double>(count));
}

void HubMetrics::store_reopened() {
  families_->store_reopened.Increment();
}

void HubMetrics::retained(std::string_view cluster, std::string_view group, std::uint64_t count) {
  families_->dumpster_retained.Add(group_labels(cluster, group)).Increment(static_cast<double>(count));
}

void HubMetrics::removed(std::string_view cluster, std::string_view group, std::string_view reason,
                         std::uint64_t count) {
  auto labels = group_labels(cluster, group);
  labels["reason"] = reason;
  families_->dumpster_removed.Add(labels).Increment(static_cast<double>(count));
}

void HubMetrics::committed(std::chrono::nanoseconds duration, std::uint64_t messages_in_batch) {
  families_->commit_duration.Observe(std::chrono::duration<double>(duration).count());
  families_->commit_batch.Observe(static_cast<double>(messages_in_batch));
}

void HubMetrics::spool(std::uint64_t messages, std::uint64_t bytes, double oldest_age_seconds) {
  families_->spool_messages.Set(static_cast<double>(messages));
  families_->spool_bytes.Set(static_cast<double>(bytes));
  families_->spool_oldest.Set(oldest_age_seconds);
}

void HubMetrics::cluster_node(std::string_view cluster, std::string_view node, bool active) {
  families_->cluster_active.Add({{"cluster", std::string{cluster}}, {"node", std::string{node}}})
      .Set(active ? 1 : 0);
}

void HubMetrics::cluster_term(std::string_view cluster, std::uint64_t term) {
  families_->cluster_term.Add({{"cluster", std::string{cluster}}}).Set(static_cast<double>(term));
}

void HubMetrics::agent_seen(std::string_view cluster, std::string_view node, double timestamp_seconds) {
  families_->cluster_agent_seen.Add({{"cluster", std::string{cluster}}, {"node", std::string{node}}})
      .Set(timestamp_seconds);
}

void HubMetrics::resubmissions(std::string_view state, std::uint64_t count) {
  families_->recovery_resubmissions.Add({{"state", std::string{state}}}).Set(static_cast<double>(count));
}

void HubMetrics::resubmitted_messages(std::string_view result, std::uint64_t count) {
  families_->recovery_messages.Add({{"result", std::string{result}}}).Increment(static_cast<double>(count));
}

void HubMetrics::recovery_query(int status_code) {
  families_->recovery_queries.Add({{"code", std::to_string(status_code)}}).Increment();
}

void HubMetrics::connection_opened(std::string_view protocol) {
  families_->relay_connections.Add({{"protocol", std::string{protocol}}}).Increment();
}

void HubMetrics::connection_closed(std::string_view protocol) {
  families_->relay_connections.Add({{"protocol", std::string{protocol}}}).Decrement();
}

void HubMetrics::message_received(std::uint64_t bytes) {
  families_->received_messages.Increment();
  families_->received_bytes.Increment(static_cast<double>(bytes));
}

void HubMetrics::rejected(std::string_view reason) {
  families_->relay_rejected.Add({{"reason", std::string{reason}}}).Increment();
}

void HubMetrics::message_slowed() {
  families_->slowed_messages.Increment();
}

void HubMetrics::delivery_ended(std::string_view route, std::string_view result, std::uint64_t recipients) {
  families_->relay_deliveries.Add({{"route", std::string{route}}, {"result", std::string{result}}})
      .Increment(static_cast<double>(recipients));
}

void HubMetrics::deleted(std::uint64_t recipients) {
  families_->deleted_recipients.Increment(static_cast<double>(recipients));
}

void HubMetrics::delivery_took(std::chrono::nanoseconds duration) {
  families_->delivery_duration.Observe(std::chrono::duration<double>(duration).count());
}

void HubMetrics::load_shedding(bool shedding) {
  families_->load_shedding.Set(shedding ? 1 : 0);
}

void HubMetrics::directory_reloaded(std::string_view result) {
  families_->relay_directory_reloads.Add({{"result", std::string{result}}}).Increment();
}

void HubMetrics::directory_outdated(bool outdated) {
  families_->directory_outdated.Set(outdated ? 1 : 0);
}

void HubMetrics::directory_query(std::string_view result) {
  families_->relay_directory_queries.Add({{"result", std::string{result}}}).Increment();
}

std::string HubMetrics::exposition() const {
  return prometheus::TextSerializer().Serialize(families_->registry.Collect());
}

}  // namespace metrics
