#include "relay/delivery/dispatcher.hpp"

#include <boost/asio/post.hpp>

#include "metrics/log.hpp"
#include "relay/smtp/received_field.hpp"

namespace relay {

namespace asio = boost::asio;

namespace {

constexpr std::chrono::milliseconds tick_length{100};
constexpr std::uint64_t ticks_per_second = 10;
constexpr std::uint64_t ticks_per_sweep = 300;
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

Dispatcher::Dispatcher(IoThreads& threads, dumpster::Store& store, DirectoryProvider directory,
                       metrics::HubMetrics& metrics, const dumpster::Clock& clock,
                       DispatcherSettings settings)
    : threads_(threads),
      context_(threads.first()),
      store_(store),
      directory_(std::move(directory)),
      metrics_(metrics),
      clock_(clock),
      settings_(std::move(settings)),
      started_(clock.now()),
      ticker_(context_),
      random_(std::random_device{}()) {
  for (const auto& cluster : settings_.clusters)
    clusters_[cluster.name].nodes = cluster.nodes;
}

void Dispatcher::on_own_thread(std::function<void()> action) {
  asio::post(context_, std::move(action));
}

double Dispatcher::chance() {
  return std::uniform_real_distribution<double>{0, 1}(random_);
}

void Dispatcher::submit(dumpster::Message message, std::shared_ptr<const std::string> body) {
  on_own_thread([this, message = std::move(message), body = std::move(body)]() mutable {
    auto queued = std::make_shared<QueuedMessage>();
    for (std::uint32_t index = 0; index < message.envelope.recipients.size(); ++index) {
      dumpster::SpoolEntry entry;
      entry.index = index;
      queued->spooled.entries.push_back(std::move(entry));
    }
    queued->spooled.message = std::move(message);
    queued->body = std::move(body);
    // A reload may have been quicker; what the store said then holds.
    const auto [place, fresh] = messages_.try_emplace(queued->spooled.message.key, queued);
    if (fresh) schedule(place->second);
  });
}

void Dispatcher::schedule(const Message& message, const std::string& expedited_cluster, LookedUp looked_up) {
  if (message->after_crash) {
    recover(message, looked_up);
    return;
  }
  PlanConditions conditions;
  conditions.now = clock_.now();
  conditions.retry_min = settings_.back_off.retry_min;
  conditions.smarthost = settings_.smarthost;
  conditions.hold = [this](const std::string& cluster) { return hold_of(cluster); };
  conditions.expedited_cluster = expedited_cluster;
  conditions.looked_up = std::move(looked_up);
  auto plan = plan_jobs(message, *directory_(), conditions);
  std::set<Destination> touched;
  for (auto& job : plan.jobs) {
    for (const auto& recipient : job.recipients)
      message->busy.insert(recipient.index);
    const auto destination = job.destination;
    connections_to(destination).queue.add(std::move(job));
    touched.insert(destination);
  }
  if (plan.again_at) wake(message, *plan.again_at);
  if (!plan.to_look_up.empty()) look_up(message, std::move(plan.to_look_up), expedited_cluster);
  if (!plan.unroutable.empty()) refuse(message, std::move(plan.unroutable));
  for (const auto& destination : touched)
    pump(connections_to(destination));
}

void Dispatcher::wake(const Message& message, dumpster::Instant instant) {
  if (message->wake_at && *message->wake_at <= instant) return;
  message->wake_at = instant;
  timers_.emplace(instant, message->spooled.message.key);
}

std::optional<HoldConditions> Dispatcher::hold_of(const std::string& cluster) const {
  const auto found = clusters_.find(cluster);
  if (found == clusters_.end()) return std::nullopt;
  const auto& state = found->second.state;
  HoldConditions conditions;
  conditions.in_doubt_wait = settings_.in_doubt_wait;
  conditions.hub_started = started_;
  conditions.activated_at = state.activated_at;
  conditions.has_agent = state.has_agent();
  for (const auto& [node, seen] : state.agent_seen) {
    if (node == state.active) conditions.agent_seen = seen;
  }
  const auto connections = connections_.find(Destination{ClusterDestination{cluster}});
  if (connections != connections_.end())
    conditions.reachable_since = connections->second.queue.reachable_since();
  return conditions;
}

Dispatcher::Connections& Dispatcher::connections_to(const Destination& destination) {
  const auto found = connections_.find(destination);
  if (found != connections_.end()) return found->second;
  return connections_
      .emplace(
          destination,
          Connections{DestinationQueue{destination, settings_.connections_per_destination}, {}, {}, {}, 0})
      .first->second;
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
  if (cluster != nullptr && (!cluster->activations.empty() || cluster->unsure)) return;
  while (!connections.idle.empty() && connections.queue.waiting() > 0) {
    auto job = connections.queue.take();
    const auto worker = connections.idle.begin()->first;
    give(connections, worker, std::move(*job));
  }
  const auto hop = next_hop_of(connections.queue.destination());
  if (!hop) return;
  const auto wanted = connections.queue.connections_wanted(
      connections.open(), static_cast<std::uint32_t>(connections.connecting.size()), clock_.now());
  for (std::uint32_t i = 0; i < wanted; ++i) {
    auto worker = std::make_shared<Worker>(threads_.next(), *hop, settings_.hub_name, store_, *this);
    connections.connecting.insert(worker);
    destination_of_.emplace(worker, connections.queue.destination());
    worker->start();
  }
}

bool Dispatcher::still_due(const Job& job, const JobRecipient& recipient) const {
  const auto* entry = job.message->entry(recipient.index);
  if (entry == nullptr) return false;
  if (job.resubmission == entry->resubmission.is_nil()) return false;
  if (!entry->in_doubt || !job.group) return true;
  const auto conditions = hold_of(job.group->cluster);
  const auto held = conditions ? held_until(*entry, *conditions) : std::nullopt;
  return !held || *held <= clock_.now();
}

void Dispatcher::put_back(Job job) {
  for (const auto& recipient : job.recipients)
    job.message->busy.erase(recipient.index);
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
  if (job.group) {
    const auto& cluster = clusters_.at(job.group->cluster);
    assignment.target = dumpster::AttemptTarget{*job.group, cluster.state.active, cluster.state.term};
    assignment.id_field = smtp::dumpster_id_field(
        settings_.hub_name, dumpster::to_string(dumpster::delivery_id_of(
                                spooled.message.key, job.group->cluster, job.group->group)));
  }
  assignment.transaction.size = spooled.message.size + assignment.id_field.size();
  std::vector<std::uint32_t> retried;
  for (const auto& recipient : job.recipients) {
    const auto* entry = job.message->entry(recipient.index);
    if (entry->attempts > 0 && !entry->trying) retried.push_back(recipient.index);
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
      connections->queue.connect_failed(failure, clock_.now(), settings_.back_off, chance());
      metrics::log_warning("destination unreachable",
                           {{"route", connections->queue.name()}, {"reason", failure}});
    }
    if (auto* cluster = cluster_of(connections->queue.destination()); cluster != nullptr) {
      pass_barrier(std::get<ClusterDestination>(connections->queue.destination()).cluster);
    }
    pump(*connections);
    drained_when_idle();
  });
}

void Dispatcher::tick() {
  ticker_.expires_after(tick_length);
  ticker_.async_wait([this](boost::system::error_code error) {
    if (error) return;
    const auto now = clock_.now();
    ++ticks_;
    look_after_store();
    fire_timers(now);
    look_after_connections(now);
    if (ticks_ % ticks_per_second == 0) refresh();
    if (ticks_ % ticks_per_sweep == 0) expire(now);
    tick();
  });
}

void Dispatcher::fire_timers(dumpster::Instant now) {
  while (!timers_.empty() && timers_.begin()->first <= now) {
    const auto [instant, key] = *timers_.begin();
    timers_.erase(timers_.begin());
    const auto found = messages_.find(key);
    if (found == messages_.end() || found->second->wake_at != instant) continue;
    const auto message = found->second;
    message->wake_at.reset();
    schedule(message);
  }
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

void Dispatcher::refresh() {
  store_.retain();
  for (auto& [name, cluster] : clusters_) {
    store_.cluster_state(name, [this, key = name](dumpster::Result<dumpster::ClusterState> state) {
      if (!state) return;
      on_own_thread([this, key, seen = state->agent_seen, term = state->term] {
        auto& known = clusters_.at(key).state;
        if (known.term == term) known.agent_seen = seen;
      });
    });
  }
}

void Dispatcher::status(std::function<void(std::vector<Status>)> done) {
  on_own_thread([this, done = std::move(done)] {
    std::vector<Status> all;
    for (const auto& [destination, connections] : connections_) {
      Status status;
      const auto* cluster = std::get_if<ClusterDestination>(&destination);
      status.route = connections.queue.name();
      status.queued = connections.queue.waiting();
      status.in_flight = connections.in_flight;
      status.last_error = connections.queue.last_error();
      if (cluster != nullptr) {
        for (const auto& [key, message] : messages_) {
          for (const auto& entry : message->spooled.entries) {
            if (entry.in_doubt && entry.group && entry.group->cluster == cluster->cluster)
              ++status.held_in_doubt;
          }
        }
      }
      all.push_back(std::move(status));
    }
    done(std::move(all));
  });
}

}  // namespace relay
