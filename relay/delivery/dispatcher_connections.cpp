#include <boost/asio/post.hpp>

#include "metrics/log.hpp"
#include "relay/delivery/dispatcher.hpp"
#include "relay/smtp/received_field.hpp"

namespace relay {

namespace {

constexpr std::chrono::seconds idle_limit{10};  // a kept connection costs the next hop a process

smtp::ClientTransaction transaction_for(const Job& job) {
  const auto& message = job.message->spooled.message;
  smtp::ClientTransaction transaction;
  transaction.sender = message.envelope.sender;
  transaction.body_type = message.envelope.body_type;
  transaction.smtputf8 = message.envelope.smtputf8;
  transaction.require_tls = message.envelope.require_tls;
  transaction.notify_return = message.envelope.notify_return;
  transaction.envelope_id = message.envelope.envelope_id;
  for (const auto& recipient : job.recipients) {
    const auto& accepted = message.envelope.recipients.at(recipient.index);
    smtp::ClientTransaction::Recipient given;
    given.address = accepted.address;
    given.original_recipient = accepted.original_recipient;
    // A resubmission causes no DSN to the original sender (promise 7).
    given.notify = job.resubmission ? dumpster::notify::never : accepted.notify;
    transaction.recipients.push_back(std::move(given));
  }
  return transaction;
}

}  // namespace

Dispatcher::Connections& Dispatcher::connections_to(const Destination& destination) {
  const auto found = connections_.find(destination);
  if (found != connections_.end()) return found->second;
  Connections made{DestinationQueue{destination, settings_.connections_per_destination}};
  return connections_.emplace(destination, std::move(made)).first->second;
}

Dispatcher::Connections* Dispatcher::connections_of(const std::shared_ptr<Worker>& worker) {
  const auto found = destination_of_.find(worker);
  return found == destination_of_.end() ? nullptr : &connections_to(found->second);
}

Dispatcher::ClusterAtWork* Dispatcher::cluster_of(const Destination& destination) {
  const auto* cluster = std::get_if<ClusterDestination>(&destination);
  if (cluster == nullptr) return nullptr;
  const auto found = clusters_.find(cluster->cluster);
  return found == clusters_.end() ? nullptr : &found->second;
}

std::optional<NextHop> Dispatcher::next_hop_of(const Destination& destination) const {
  if (const auto* hop = std::get_if<NextHop>(&destination)) return *hop;
  const auto cluster = clusters_.find(std::get<ClusterDestination>(destination).cluster);
  if (cluster == clusters_.end()) return std::nullopt;
  const auto node = cluster->second.nodes.find(cluster->second.state.active);
  if (node == cluster->second.nodes.end()) return std::nullopt;
  return node->second;
}

void Dispatcher::pump(Connections& connections) {
  auto* cluster = cluster_of(connections.queue.destination());
  // What could not be recorded is not begun.
  if (drained_ || !loaded_ || !store_.writable()) return;
  if (cluster != nullptr && !open_for_work(*cluster)) return;
  const auto now = clock_.now();
  while (!connections.idle.empty() && connections.queue.waiting() > 0 &&
         connections.queue.may_begin(static_cast<std::uint32_t>(connections.working.size()), now)) {
    auto job = connections.queue.take();
    const auto worker = connections.idle.begin()->first;
    give(connections, worker, std::move(*job));
  }
  const auto hop = next_hop_of(connections.queue.destination());
  if (!hop) return;
  const auto open = connections.open();
  const auto wanted = connections.queue.connections_wanted(
      open, static_cast<std::uint32_t>(connections.connecting.size()), share_, now);
  for (std::uint32_t i = 0; i < wanted; ++i) {
    // Whatever the others have, each destination has one.
    if (destination_of_.size() >= settings_.max_connections && connections.open() > 0) break;
    auto worker = std::make_shared<Worker>(threads_.next(), *hop, settings_.policies()->of(*hop),
                                           settings_.hub_name, store_, *this);
    connections.connecting.insert(worker);
    destination_of_.emplace(worker, connections.queue.destination());
    worker->start();
  }
}

bool Dispatcher::open_for_work(const ClusterAtWork& cluster) const {
  return cluster.activations.empty() && !cluster.unsure && !cluster.state.held(clock_.now());
}

bool Dispatcher::still_due(const Job& job, const JobRecipient& recipient) const {
  const auto* entry = job.message->entry(recipient.index);
  if (entry == nullptr) return false;
  if (entry->held || job.resubmission == entry->resubmission.is_nil()) return false;
  const auto& group = job.route->group;
  if (!entry->in_doubt || !group) return true;
  const auto conditions = hold_of(group->cluster);
  const auto held = conditions ? held_until(*entry, *conditions) : std::nullopt;
  return !held || *held <= clock_.now();
}

void Dispatcher::put_back(Job job) {
  for (const auto& recipient : job.recipients) {
    job.message->busy.erase(recipient.index);
    job.message->under_way.erase(recipient.index);
  }
  const auto message = job.message;
  on_own_thread([this, message] {
    schedule(message);
    forget_when_settled(message);
  });
}

/// Gives the job to an idle worker. False when there was nothing left to do in it.
bool Dispatcher::give(Connections& connections, const std::shared_ptr<Worker>& worker, Job job) {
  Job dropped = job;
  dropped.recipients.clear();
  std::vector<JobRecipient> due;
  for (auto& recipient : job.recipients) {
    (still_due(job, recipient) ? due : dropped.recipients).push_back(std::move(recipient));
  }
  job.recipients = std::move(due);
  if (!dropped.recipients.empty()) put_back(std::move(dropped));
  if (job.recipients.empty()) return false;

  Assignment assignment;
  auto& spooled = job.message->spooled;
  assignment.attempt = ++spooled.attempts;
  assignment.transaction = transaction_for(job);
  assignment.fresh_body = job.message->body;
  if (const auto& group = job.route->group) {
    const auto& cluster = clusters_.at(group->cluster);
    assignment.target = dumpster::AttemptTarget{*group, cluster.state.active, cluster.state.term};
    assignment.id_field = smtp::dumpster_id_field(
        settings_.hub_name,
        dumpster::to_string(dumpster::delivery_id_of(spooled.message.key, group->cluster, group->group)));
  }
  assignment.transaction.size = spooled.message.size + assignment.id_field.size();
  std::vector<std::uint32_t> retried;
  for (const auto& recipient : job.recipients) {
    const auto* entry = job.message->entry(recipient.index);
    if (entry->attempts > 0 && !entry->trying) retried.push_back(recipient.index);
    job.message->under_way.insert(recipient.index);
  }
  assignment.job = std::move(job);
  connections.idle.erase(worker);
  connections.working.insert(worker);
  ++connections.in_flight;
  // A first attempt needs no mark: after a crash all that was never tried is in doubt. A retry is marked
  // first.
  if (retried.empty() || !assignment.target) {
    worker->assign(std::move(assignment));
    return true;
  }
  const auto key = spooled.message.key;
  store_.mark_trying(key, std::move(retried),
                     [worker, moved = std::make_shared<Assignment>(std::move(assignment))](
                         dumpster::Result<dumpster::Done> marked) {
                       // What cannot be marked is not sent: the worker reports it as never begun.
                       if (!marked) worker->cut();
                       worker->assign(std::move(*moved));
                     });
  return true;
}

void Dispatcher::worker_ready(std::shared_ptr<Worker> worker) {
  on_own_thread([this, worker = std::move(worker)] {
    auto* connections = connections_of(worker);
    if (connections == nullptr) return;
    connections->connecting.erase(worker);
    connections->idle.emplace(worker, clock_.now());
    if (connections->queue.connected(clock_.now())) {
      metrics::log_info("destination reachable again", {{"route", connections->queue.name()}});
    }
    pump(*connections);
  });
}

void Dispatcher::worker_finished(std::shared_ptr<Worker> worker, Assignment assignment, TransactionEnd end,
                                 std::chrono::nanoseconds duration) {
  metrics_.delivery_took(duration);
  on_own_thread(
      [this, worker = std::move(worker), assignment = std::move(assignment), end = std::move(end)]() mutable {
        finished(worker, std::move(assignment), std::move(end));
      });
}

void Dispatcher::worker_gone(std::shared_ptr<Worker> worker, std::string failure) {
  on_own_thread([this, worker = std::move(worker), failure = std::move(failure)] {
    auto* connections = connections_of(worker);
    if (connections == nullptr) return;
    const bool never_ready = connections->connecting.erase(worker) > 0;
    connections->idle.erase(worker);
    connections->working.erase(worker);
    destination_of_.erase(worker);
    if (never_ready && !failure.empty()) {
      const bool was_dead = connections->queue.dead();
      connections->queue.connect_failed(failure, connections->open(), clock_.now(), settings_.back_off,
                                        chance());
      metrics::log_warning("no connection", {{"route", connections->queue.name()},
                                             {"reason", failure},
                                             {"dead", connections->queue.dead() ? "yes" : "no"}});
      after_failure(*connections, was_dead);
    }
    if (auto* cluster = cluster_of(connections->queue.destination()); cluster != nullptr) {
      pass_barrier(std::get<ClusterDestination>(connections->queue.destination()).cluster);
    }
    pump(*connections);
    drained_when_idle();
  });
}

void Dispatcher::look_after_connections(dumpster::Instant now) {
  for (auto& [destination, connections] : connections_) {
    for (const auto& [worker, since] : connections.idle) {
      if (now - since > idle_limit) worker->leave();
    }
    std::erase_if(connections.idle, [now](const auto& idle) { return now - idle.second > idle_limit; });
    if (connections.queue.waiting() > 0) pump(connections);
  }
}

/// No destination may take what the others need: the more of them have work, the fewer connections each has.
void Dispatcher::share_connections() {
  std::uint32_t busy = 0;
  for (const auto& [destination, connections] : connections_) {
    if (connections.open() > 0 || connections.queue.waiting() > 0) ++busy;
  }
  share_ = std::max(1U, settings_.max_connections / std::max(1U, busy));
}

}  // namespace relay
