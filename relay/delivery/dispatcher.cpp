#include "relay/delivery/dispatcher.hpp"

#include <boost/asio/post.hpp>

#include "metrics/log.hpp"

namespace relay {

namespace asio = boost::asio;

namespace {

constexpr std::chrono::milliseconds tick_length{100};
constexpr std::uint64_t ticks_per_second = 10;
constexpr std::uint64_t ticks_per_sweep = 50;

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
      share_(settings_.max_connections),
      ticker_(context_),
      random_(std::random_device{}()) {
  unclean_ = !store_.identity().clean_shutdown;
  for (const auto& cluster : settings_.clusters)
    clusters_[cluster.name].nodes = cluster.nodes;
}

void Dispatcher::on_own_thread(std::function<void()> action) {
  asio::post(context_, std::move(action));
}

double Dispatcher::chance() {
  return std::uniform_real_distribution<double>{0, 1}(random_);
}

void Dispatcher::submit(dumpster::Message message, std::shared_ptr<const FreshBody> body) {
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
  conditions.from_backup_until = started_ + settings_.in_doubt_wait;
  conditions.expedited_cluster = expedited_cluster;
  conditions.looked_up = std::move(looked_up);
  auto plan = plan_jobs(message, *directory_(), conditions);
  std::set<Destination> touched;
  for (auto& job : plan.jobs) {
    for (const auto& recipient : job.recipients)
      message->busy.insert(recipient.index);
    const auto destination = job.route->destination;
    auto& connections = connections_to(destination);
    connections.nothing_expires_before = std::min(connections.nothing_expires_before, expires_at(job));
    if (connections.queue.dead()) message->body.reset();
    job.planned_at = conditions.now;
    job.route_as_of = looks_at_routes_;
    connections.queue.add(std::move(job));
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

void Dispatcher::tick() {
  ticker_.expires_after(tick_length);
  ticker_.async_wait([this](boost::system::error_code error) {
    if (error) return;
    const auto now = clock_.now();
    ++ticks_;
    look_after_store();
    fire_timers(now);
    compare_routes();
    share_connections();
    look_after_connections(now);
    slow_down();
    if (ticks_ % ticks_per_second == 0) {
      refresh();
      tell_of_delays(now);
      report_to_postmaster(now);
    }
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

void Dispatcher::refresh() {
  store_.retain();
  for (auto& [name, cluster] : clusters_) {
    store_.cluster_state(name, [this, key = name](dumpster::Result<dumpster::ClusterState> state) {
      if (!state) return;
      on_own_thread([this, key, seen = state->agent_seen, term = state->term] {
        auto& known = clusters_.at(key).state;
        if (known.term != term) return;
        // Merged: what was read may be older than a contact that has been noted meanwhile.
        for (const auto& [node, heard] : seen)
          note_agent(known, node, heard);
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
