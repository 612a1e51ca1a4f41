#include <boost/asio/post.hpp>

#include "metrics/log.hpp"
#include "relay/delivery/dispatcher.hpp"

namespace relay {

using Kind = dumpster::RecipientOutcome::Kind;

namespace {

/// As metrics count it: what still waits is deferred.
std::string_view result_name(Kind kind) {
  if (kind == Kind::delivered) return "delivered";
  return kind == Kind::refused ? "bounced" : "deferred";
}

/// One line for each recipient: enough to answer where a mail is.
void log_outcome(const QueuedMessage& message, const std::string& route,
                 const dumpster::AttemptOutcome& outcome) {
  for (const auto& ended : outcome.recipients) {
    const auto& envelope = message.spooled.message.envelope;
    const auto* entry = message.entry(ended.index);
    metrics::log_info(ended.kind == Kind::in_doubt ? "in_doubt" : result_name(ended.kind),
                      {{"id", dumpster::to_string(outcome.message)},
                       {"message_id", message.spooled.message.message_id},
                       {"sender", envelope.sender},
                       {"recipient", envelope.recipients.at(ended.index).address},
                       {"destination", route},
                       {"node", outcome.target ? outcome.target->node : std::string{"-"}},
                       {"attempt", outcome.attempt},
                       {"resubmission", entry != nullptr && !entry->resubmission.is_nil() ? "yes" : "no"},
                       {"reply", ended.reply}});
  }
}

}  // namespace

void Dispatcher::count(const Job& job, const dumpster::AttemptOutcome& outcome) {
  const auto route = job.route->name();
  for (const auto& ended : outcome.recipients)
    metrics_.delivery_ended(route, result_name(ended.kind), 1);
  log_outcome(*job.message, route, outcome);
}

void Dispatcher::finished(const std::shared_ptr<Worker>& worker, Assignment assignment, TransactionEnd end) {
  const auto destination = assignment.job.route->destination;
  auto& connections = connections_to(destination);
  connections.working.erase(worker);
  if (destination_of_.contains(worker)) {  // otherwise it was cut: that says nothing of the destination
    if (end.reusable) connections.idle.emplace(worker, clock_.now());
    learn(connections, end);
  }
  if (end.results.empty()) {
    --connections.in_flight;
    put_back(std::move(assignment.job));
    if (const auto* cluster = std::get_if<ClusterDestination>(&destination)) pass_barrier(cluster->cluster);
    drained_when_idle();
  } else {
    OutcomeConditions conditions;
    conditions.now = clock_.now();
    conditions.back_off = settings_.back_off;
    conditions.queue_lifetime = settings_.queue_lifetime;
    if (const auto* cluster = cluster_of(destination)) conditions.held = cluster->state.held(conditions.now);
    conditions.chance = chance();
    auto outcome = outcome_of(assignment.job, assignment.attempt, assignment.target, end.results, conditions);
    count(assignment.job, outcome);
    // Recipients that an operator or evidence settled meanwhile have no outcome, and are in no job any more.
    for (const auto& recipient : assignment.job.recipients) {
      assignment.job.message->under_way.erase(recipient.index);
      if (assignment.job.message->entry(recipient.index) == nullptr)
        assignment.job.message->busy.erase(recipient.index);
    }
    if (!outcome.target) outcome.where = connections.queue.name();
    record(assignment.job.message, std::move(outcome), destination, end.passes_dsn);
  }
  pump(connections);
}

/// What the end of a transaction says of the destination, whatever it says of the message.
void Dispatcher::learn(Connections& connections, const TransactionEnd& end) {
  if (end.results.empty()) return;
  auto& queue = connections.queue;
  if (const auto fault = fault_of_destination(end.results, end.reusable)) {
    const bool was_dead = queue.dead();
    queue.failed(*fault, clock_.now(), settings_.back_off, chance());
    if (queue.dead() && !was_dead)
      metrics::log_warning("destination dead", {{"route", queue.name()}, {"reason", *fault}});
    after_failure(connections, was_dead);
  } else if (queue.succeeded()) {
    metrics::log_info("destination alive again", {{"route", queue.name()}});
  }
}

/// Recipients leave their transaction and are recorded; whoever is to be told of it is told in the same
/// write.
void Dispatcher::record(const Message& message, dumpster::AttemptOutcome outcome,
                        std::optional<Destination> in_flight_of, bool dsn_passed_on) {
  ++message->recording;
  ++message->recordings;
  ++recordings_;
  for (const auto& ended : outcome.recipients)
    message->under_way.erase(ended.index);
  auto told = to_be_told(*message, outcome, dsn_passed_on);
  read_and_notify(message, std::move(told), std::move(outcome),
                  [this, message, in_flight_of](dumpster::AttemptOutcome complete, Request request) {
                    write(message, std::move(complete), in_flight_of, std::move(request));
                  });
}

void Dispatcher::write(const Message& message, dumpster::AttemptOutcome outcome,
                       std::optional<Destination> in_flight_of, Request request) {
  const auto kept = std::make_shared<const dumpster::AttemptOutcome>(std::move(outcome));
  auto done = [this, message, kept, in_flight_of = std::move(in_flight_of),
               request = std::move(request)](dumpster::Result<dumpster::AttemptRecorded> result) {
    on_own_thread([this, message, kept, in_flight_of, request, result = std::move(result)]() mutable {
      if (in_flight_of) --connections_to(*in_flight_of).in_flight;
      if (!result && result.error().fault == dumpster::Fault::unavailable)
        keep_unrecorded(message, kept, in_flight_of, std::move(request));
      recorded(message, *kept, std::move(result));
      if (in_flight_of) {
        if (const auto* cluster = std::get_if<ClusterDestination>(&*in_flight_of))
          pass_barrier(cluster->cluster);
      }
      drained_when_idle();
    });
  };
  store_.record(*kept, std::move(done));
}

void Dispatcher::recorded(const Message& message, const dumpster::AttemptOutcome& outcome,
                          dumpster::Result<dumpster::AttemptRecorded> result) {
  --message->recording;
  --recordings_;
  if (!result) {
    // What became of these recipients is not known durably. They stay busy, so that nothing is sent twice by
    // this run.
    metrics::log_error("outcome not recorded", {{"id", dumpster::to_string(message->spooled.message.key)},
                                                {"reason", result.error().detail}});
    return;
  }
  note_for_postmaster(*message, outcome);
  for (const auto& ended : outcome.recipients) {
    if (ended.kind != Kind::delayed) message->busy.erase(ended.index);
  }
  if (result->left) {
    message->spooled.entries = std::move(result->left->entries);
  } else {
    message->spooled.entries.clear();
  }
  if (message->busy.empty()) message->body.reset();
  schedule(message);
  forget_when_settled(message);
  if (outcome.notification) submit(outcome.notification->message, nullptr);
}

void Dispatcher::forget_when_settled(const Message& message) {
  if (!message->spooled.entries.empty() || !message->busy.empty() || message->recording > 0) return;
  const auto found = messages_.find(message->spooled.message.key);
  if (found != messages_.end() && found->second == message) messages_.erase(found);
}

void Dispatcher::refuse(const Message& message, std::vector<Unroutable> recipients) {
  dumpster::AttemptOutcome outcome;
  outcome.message = message->spooled.message.key;
  outcome.attempt = message->spooled.attempts;
  for (auto& recipient : recipients) {
    message->busy.insert(recipient.index);
    dumpster::RecipientOutcome ended;
    ended.index = recipient.index;
    ended.kind = Kind::refused;
    ended.reply = std::move(recipient.reply);
    outcome.recipients.push_back(std::move(ended));
  }
  metrics_.delivery_ended("none", "bounced", outcome.recipients.size());
  log_outcome(*message, "none", outcome);
  record(message, std::move(outcome), std::nullopt);
}

/// When nobody waits for any recipient of the job any more.
dumpster::Instant Dispatcher::expires_at(const Job& job) const {
  auto latest = dumpster::Instant::min();
  for (const auto& recipient : job.recipients) {
    const auto* entry = job.message->entry(recipient.index);
    if (entry != nullptr)
      latest = std::max(latest, too_old_at(job.message->spooled, *entry, settings_.queue_lifetime));
  }
  return latest;
}

/// The end of the last hold on the destination, as far as there was one.
dumpster::Instant Dispatcher::hold_ended(const Destination& destination) const {
  const auto* name = std::get_if<ClusterDestination>(&destination);
  const auto cluster = name == nullptr ? clusters_.end() : clusters_.find(name->cluster);
  if (cluster == clusters_.end()) return {};
  return std::max(cluster->second.released_at,
                  cluster->second.state.held_until.value_or(dumpster::Instant{}));
}

/// Mail for a dead destination has no attempts that would end it. What is held is not given up, and what was
/// held (by its recipient, its cluster or a doubt) or is new here only when the destination has failed since.
void Dispatcher::expire(dumpster::Instant now) {
  std::map<Message, std::vector<Unroutable>> expired;
  for (auto& [destination, connections] : connections_) {
    if (!connections.queue.dead() || now < connections.nothing_expires_before) continue;
    const auto* cluster = cluster_of(destination);
    if (cluster != nullptr && cluster->state.held(now)) continue;
    const auto reason = "451 4.4.7 not delivered in time: " + connections.queue.last_error();
    const auto failed_at = connections.queue.failed_at();
    if (failed_at <= hold_ended(destination)) continue;
    const auto old = connections.queue.remove(
        [&](const Job& job) { return expires_at(job) <= now && failed_at > job.planned_at; });
    auto next = dumpster::Instant::max();
    connections.queue.each([&, this](const Job& job) { next = std::min(next, expires_at(job)); });
    connections.nothing_expires_before = next;
    for (const auto& job : old) {
      for (const auto& recipient : job.recipients) {
        job.message->busy.erase(recipient.index);
        if (job.message->entry(recipient.index) != nullptr)
          expired[job.message].push_back({recipient.index, reason});
      }
    }
  }
  for (auto& [message, recipients] : expired)
    refuse(message, std::move(recipients));
}

}  // namespace relay
