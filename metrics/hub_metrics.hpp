#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace metrics {

/// Everything the hub counts, as verbs. Name, unit and help of each metric stand in `hub_metrics.cpp` alone;
/// the table in README.md is compared with the exposition by a test. Thread-safe. Labels never hold an
/// address or an id.
class HubMetrics {
 public:
  HubMetrics();
  ~HubMetrics();
  HubMetrics(const HubMetrics&) = delete;
  HubMetrics& operator=(const HubMetrics&) = delete;

  // --- dumpster
  struct GroupGauges {
    std::uint64_t messages = 0;
    std::uint64_t bytes = 0;
    std::uint64_t in_doubt = 0;
    double covered_from_seconds = 0;
    std::uint64_t max_bytes = 0;     ///< 0: retention is off
    std::uint64_t needed_bytes = 0;  ///< the size that `max_time` would take
  };
  void storage_group(std::string_view cluster, std::string_view group, const GroupGauges& gauges);
  void retained(std::string_view cluster, std::string_view group, std::uint64_t count = 1);
  /// `reason`: size, time, replicated, operator.
  void removed(std::string_view cluster, std::string_view group, std::string_view reason,
               std::uint64_t count);
  /// Of those removed by size or time.
  void removed_unconfirmed(std::string_view cluster, std::string_view group, std::uint64_t count);
  void store_reopened();
  void damaged_places(std::uint64_t count);
  void committed(std::chrono::nanoseconds duration, std::uint64_t messages_in_batch);
  void spool(std::uint64_t messages, std::uint64_t bytes, double oldest_age_seconds);

  // --- cluster and recovery
  void cluster_node(std::string_view cluster, std::string_view node, bool active);
  void cluster_term(std::string_view cluster, std::uint64_t term);
  void agent_seen(std::string_view cluster, std::string_view node, double timestamp_seconds);
  /// `state`: running, paused, completed, cancelled.
  void resubmissions(std::string_view state, std::uint64_t count);
  /// `result`: delivered, failed, cancelled.
  void resubmitted_messages(std::string_view result, std::uint64_t count);
  void recovery_query(int status_code);

  // --- relay
  /// `protocol`: smtp, lmtp.
  void connection_opened(std::string_view protocol);
  void connection_closed(std::string_view protocol);
  void message_received(std::uint64_t bytes);
  /// `reason`: a word of a fixed small set, e.g. unknown_recipient, relay_denied, size, syntax, overload.
  void rejected(std::string_view reason);
  /// A message was kept waiting before it was taken, since its destination takes mail more slowly.
  void message_slowed();
  /// `result`: delivered, deferred, bounced. `route`: a storage group as `cluster/group`, a configured next
  /// hop or `smarthost`.
  void delivery_ended(std::string_view route, std::string_view result, std::uint64_t recipients);
  /// Recipients that an operator took out of the spool.
  void deleted(std::uint64_t recipients);
  void delivery_took(std::chrono::nanoseconds duration);
  void load_shedding(bool shedding);
  /// The recipients file has been read again. `result`: loaded, failed.
  void directory_reloaded(std::string_view result);
  /// The file that is there now is not the one that counts, since it cannot be used.
  void directory_outdated(bool outdated);
  /// A directory server was asked. `result`: answered, failed.
  void directory_query(std::string_view result);

  /// Prometheus text, version 0.0.4. May take milliseconds: not for an I/O thread.
  std::string exposition() const;

 private:
  struct Families;
  std::unique_ptr<Families> families_;
};

}  // namespace metrics
