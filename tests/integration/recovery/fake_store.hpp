#pragma once

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "dumpster/store.hpp"
#include "recovery/running_relay.hpp"

namespace recovery {

/// A store in memory that answers at once: what the API needs of the contract of `dumpster::Store`, for tests
/// of the API alone. Not thread-safe: filled before the server starts, looked at when it has answered.
class FakeStore : public dumpster::Store {
 public:
  template <class T>
  using Completion = dumpster::Completion<T>;
  using Done = dumpster::Done;
  using Uuid = dumpster::Uuid;

  FakeStore() {
    state.name = "ccr1";
    state.nodes = {"node1", "node2"};
    state.active = "node1";
    group.name = {"ccr1", "sg1"};
    group.covered_from = now - std::chrono::hours{1};
  }

  void append_body(Uuid, std::uint32_t, std::string, Completion<Done> done) override { done(Done{}); }
  void abandon_body(Uuid) override {}
  void read_body(Uuid message, std::uint32_t chunk, Completion<std::string> done) override {
    const auto found = bodies.find({message, chunk});
    if (found == bodies.end()) return done(fault(dumpster::Fault::damaged, "a chunk is missing"));
    done(found->second);
  }

  void accept(dumpster::NewMessage, Completion<Done> done) override { done(Done{}); }
  void load(Uuid, Completion<std::optional<dumpster::SpooledMessage>> done) override {
    done(std::optional<dumpster::SpooledMessage>{});
  }
  void scan_spool(std::optional<Uuid>, std::size_t,
                  Completion<std::vector<dumpster::SpooledMessage>> done) override {
    done(std::vector<dumpster::SpooledMessage>{});
  }
  void hold_recipients(Uuid, std::vector<std::uint32_t>, bool, Completion<Done> done) override {
    done(Done{});
  }
  void history(dumpster::HistoryQuery query, Completion<dumpster::HistoryFound> done) override {
    asked = std::move(query);
    done(remembered);
  }
  void mark_trying(Uuid, std::vector<std::uint32_t>, Completion<Done> done) override { done(Done{}); }
  void record(dumpster::AttemptOutcome, Completion<dumpster::AttemptRecorded> done) override {
    done(dumpster::AttemptRecorded{});
  }
  dumpster::Result<dumpster::Traffic> traffic(const dumpster::StorageGroup&) const override {
    return dumpster::Traffic{now};
  }
  void purge(dumpster::PurgeRequest, Completion<dumpster::Purged> done) override { done(dumpster::Purged{}); }
  void set_limits(dumpster::StorageGroup, dumpster::RetentionLimits, Completion<Done> done) override {
    done(Done{});
  }
  std::uint64_t times_reopened() const override { return 0; }
  dumpster::SpoolTotals spool_totals() const override { return {3, 4096, now}; }

  void activate(dumpster::Activation activation, Completion<dumpster::ActivationResult> done) override {
    dumpster::ActivationResult result;
    const bool again = activation.node == state.active && activation.term == state.term;
    result.applied = again || activation.term > state.term;
    if (result.applied) {
      state.active = activation.node;
      state.term = activation.term;
      state.kind = activation.kind;
      by_agent = activation.by_agent;
    }
    result.state = state;
    result.now = now;
    done(result);
  }
  void recovered(std::string, std::string node, std::uint64_t term, Completion<Done> done) override {
    if (!current(node, term))
      return done(fault(dumpster::Fault::conflict, "not the active node in its current term"));
    state.recovered = true;
    done(Done{});
  }
  void hold(std::string, std::optional<dumpster::Instant> until,
            Completion<dumpster::ClusterState> done) override {
    state.held_until = until;
    done(state);
  }
  void record_agent_contact(std::string cluster, std::string node) override {
    contacts.emplace(cluster, node);
  }
  void cluster_state(std::string, Completion<dumpster::ClusterState> done) override { done(state); }
  void storage_group_state(dumpster::StorageGroup, Completion<dumpster::StorageGroupState> done) override {
    done(group);
  }

  void snapshot(Completion<dumpster::Snapshot> done) override { done(dumpster::Snapshot{now}); }
  void list(dumpster::DeliveryQuery query, Completion<dumpster::DeliveryPage> done) override {
    dumpster::DeliveryPage page;
    ++pages;
    if (made_up > 0) return done(made_up_page(query));
    std::size_t looked_at = 0;
    for (const auto& delivery : deliveries) {
      if (delivery.delivered_at < query.from || delivery.delivered_at >= query.until) continue;
      if (looked_at++ == query.limit) {
        page.continue_from = delivery.delivered_at;
        break;
      }
      if (!query.state || *query.state == delivery.state) page.deliveries.push_back(delivery);
    }
    done(page);
  }
  void find(dumpster::StorageGroup, Uuid id, Completion<std::vector<dumpster::Delivery>> done) override {
    std::vector<dumpster::Delivery> found;
    for (const auto& delivery : deliveries) {
      if (delivery.delivery_id == id) found.push_back(delivery);
    }
    if (found.empty()) return done(fault(dumpster::Fault::not_found, "there is no such delivery"));
    done(found);
  }
  void mark_absent(dumpster::AbsentReport report, Completion<Done> done) override {
    if (!current(report.node, report.term))
      return done(fault(dumpster::Fault::conflict, "not the active node"));
    absent = std::move(report);
    done(Done{});
  }

  void resubmit(dumpster::ResubmissionRequest request,
                Completion<dumpster::ResubmissionAccepted> done) override {
    if (request.node && request.term && !current(*request.node, *request.term)) {
      return done(fault(dumpster::Fault::conflict, "not the active node in its current term"));
    }
    const auto known = requests.find(request.key);
    if (known != requests.end() && !(known->second.first == request)) {
      return done(fault(dumpster::Fault::conflict, "the key belongs to another request"));
    }
    dumpster::ResubmissionAccepted accepted;
    if (request.dry_run) return done(accepted);
    accepted.repeated = known != requests.end();
    if (accepted.repeated) {
      accepted.resubmission = known->second.second;
    } else {
      accepted.resubmission.id = dumpster::new_uuid(now);
      accepted.resubmission.key = request.key;
      accepted.resubmission.group = request.group;
      accepted.resubmission.matched = request.items ? request.items->size() : 7;
      accepted.resubmission.created_at = now;
      accepted.touched = {dumpster::new_uuid(now)};
      requests.emplace(request.key, std::pair{request, accepted.resubmission});
    }
    done(accepted);
  }
  void resubmission(Uuid id, Completion<dumpster::Resubmission> done) override {
    for (const auto& [key, known] : requests) {
      if (known.second.id == id) return done(known.second);
    }
    done(fault(dumpster::Fault::not_found, "there is no such resubmission"));
  }
  void resubmissions(std::size_t, Completion<std::vector<dumpster::Resubmission>> done) override {
    std::vector<dumpster::Resubmission> list;
    for (const auto& [key, known] : requests)
      list.insert(list.begin(), known.second);
    done(list);
  }
  void cancel(Uuid id, Completion<std::vector<Uuid>> done) override {
    for (auto& [key, known] : requests) {
      if (known.second.id == id) known.second.state = dumpster::ResubmissionState::cancelled;
    }
    done(std::vector<Uuid>{dumpster::new_uuid(now)});
  }

  dumpster::ResubmissionWork resubmission_work(const std::string&) const override { return work; }
  void release(std::string, std::size_t most, Completion<std::vector<Uuid>> done) override {
    released.push_back(most);
    done(std::vector<Uuid>(most, dumpster::new_uuid(now)));
  }
  void pause(std::string, bool paused, Completion<Done> done) override {
    (paused ? work.paused : work.running) += std::exchange(paused ? work.running : work.paused, 0);
    done(Done{});
  }
  void settle_resubmissions(Completion<std::vector<Uuid>> done) override { done(std::vector<Uuid>{}); }

  void verify(Completion<dumpster::Verification> done) override {
    dumpster::Verification found;
    found.messages = 3;
    found.faults = {"something is damaged"};
    done(std::move(found));
  }
  void report_replicated(dumpster::ReplicationReport report, Completion<dumpster::Instant> done) override {
    done(report.through);
  }
  void backup(std::filesystem::path, Completion<dumpster::BackupMade> done) override {
    done(dumpster::BackupMade{2, 1000});
  }
  dumpster::HubIdentity identity() const override {
    return {store_id, now - std::chrono::hours{2}, 42, true};
  }
  void show_gauges() override {}
  void retain() override {}
  bool writable() const override { return true; }
  void close() override {}

  dumpster::Instant now = *dumpster::from_rfc3339("2026-01-31T12:00:00Z");
  Uuid store_id = *dumpster::uuid_from("0192f5c4-7d1e-7a30-9f6b-3f1c2b7a9d10");
  dumpster::ClusterState state;
  dumpster::StorageGroupState group;
  std::vector<dumpster::Delivery> deliveries;
  std::map<std::pair<Uuid, std::uint32_t>, std::string> bodies;
  std::map<std::string, std::pair<dumpster::ResubmissionRequest, dumpster::Resubmission>> requests;
  std::set<std::pair<std::string, std::string>> contacts;
  std::optional<dumpster::AbsentReport> absent;
  std::optional<dumpster::HistoryQuery> asked;
  dumpster::HistoryFound remembered;
  bool by_agent = false;
  std::size_t pages = 0;
  std::uint64_t made_up = 0;  ///< lines, a microsecond apart, that exist only while they are listed
  dumpster::ResubmissionWork work;
  std::vector<std::size_t> released;

 private:
  dumpster::DeliveryPage made_up_page(const dumpster::DeliveryQuery& query) const {
    const auto first = now - std::chrono::hours{1};
    const auto from = std::max(query.from, first);
    dumpster::DeliveryPage page;
    for (auto time = from; time < first + dumpster::Duration{static_cast<std::int64_t>(made_up)};
         time += dumpster::Duration{1}) {
      if (page.deliveries.size() == query.limit) {
        page.continue_from = time;
        break;
      }
      dumpster::Delivery line;
      line.delivery_id = store_id;
      line.message_id = "message@example.test";
      line.delivered_at = time;
      line.node = "node1";
      line.recipients = {{0, "alice@example.test", "alice@example.test"}};
      page.deliveries.push_back(std::move(line));
    }
    return page;
  }
  static dumpster::Error fault(dumpster::Fault fault, std::string detail) {
    return {fault, std::move(detail)};
  }
  bool current(const std::string& node, std::uint64_t term) const {
    return node == state.active && term == state.term;
  }
};

class FakeRelay final : public RunningRelay {
 public:
  explicit FakeRelay(dumpster::Store& store) : store_(store) {}
  void activate(dumpster::Activation activation,
                dumpster::Completion<dumpster::ActivationResult> done) override {
    store_.activate(std::move(activation), std::move(done));
  }
  void hold(std::string, dumpster::Duration duration, dumpster::Completion<Holding> done) override {
    held_for = duration;
    done(Holding{dumpster::system_clock().now() + duration, 3});
  }
  void release(std::string, dumpster::Completion<Holding> done) override {
    held_for.reset();
    done(Holding{std::nullopt, 0});
  }
  void queue(QueueFilter filter, std::optional<dumpster::Uuid>,
             dumpster::Completion<QueuePage> done) override {
    filtered = std::move(filter);
    done(QueuePage{queued, std::nullopt});
  }
  void change_queue(QueueAction action, std::vector<QueueSelection> selected,
                    dumpster::Completion<QueueChanged> done) override {
    QueueChanged changed;
    for (const auto& selection : selected) {
      ++changed.messages;
      changed.recipients += selection.recipients.size();
    }
    changes.emplace_back(action, std::move(selected));
    done(changed);
  }
  void agent_heard(std::string cluster, std::string node) override {
    heard.emplace(std::move(cluster), std::move(node));
  }
  void reload(std::vector<dumpster::Uuid> messages) override { reloaded += messages.size(); }
  bool accepting() const override { return true; }
  void load(std::string, std::function<void(ClusterLoad)> done) const override { done(cluster_load); }
  void destinations(std::function<void(std::vector<Destination>)> done) const override {
    done({{"ccr1/sg1", 2, 1, 0, "451 busy \xff"}});
  }

  std::size_t reloaded = 0;
  std::set<std::pair<std::string, std::string>> heard;
  std::optional<dumpster::Duration> held_for;
  ClusterLoad cluster_load;
  std::vector<QueuedMail> queued;
  QueueFilter filtered;
  std::vector<std::pair<QueueAction, std::vector<QueueSelection>>> changes;

 private:
  dumpster::Store& store_;
};

}  // namespace recovery
