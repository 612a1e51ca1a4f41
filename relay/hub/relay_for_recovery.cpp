#include "relay/hub/relay_for_recovery.hpp"

namespace relay {

namespace {

dumpster::Completion<Dispatcher::Holding> told(dumpster::Completion<recovery::RunningRelay::Holding> done) {
  return [done = std::move(done)](dumpster::Result<Dispatcher::Holding> holding) {
    if (!holding) return done(holding.error());
    done(recovery::RunningRelay::Holding{holding->until, holding->in_flight});
  };
}

std::string word_for(QueuedState state) {
  switch (state) {
    case QueuedState::deferred:
      return "deferred";
    case QueuedState::in_doubt:
      return "in_doubt";
    case QueuedState::held:
      return "held";
    case QueuedState::under_way:
      return "under_way";
    case QueuedState::waiting:
      break;
  }
  return "waiting";
}

recovery::RunningRelay::QueuedMail shown(QueuedMail mail) {
  recovery::RunningRelay::QueuedMail made;
  made.id = mail.id;
  made.message_id = std::move(mail.message_id);
  made.sender = std::move(mail.sender);
  made.size = mail.size;
  made.received_at = mail.received_at;
  for (auto& each : mail.recipients) {
    made.recipients.push_back({each.index, std::move(each.address), std::move(each.destination),
                               word_for(each.state), each.resubmission, each.attempts, each.next_attempt,
                               std::move(each.last_reply)});
  }
  return made;
}

}  // namespace

void RelayForRecovery::queue(QueueFilter filter, std::optional<dumpster::Uuid> after,
                             dumpster::Completion<QueuePage> done) {
  relay::QueueFilter wanted{filter.id,
                            std::move(filter.message_id),
                            std::move(filter.recipient),
                            std::move(filter.sender),
                            std::move(filter.destination),
                            filter.received_before,
                            filter.held};
  dispatcher_.queue(std::move(wanted), after, [done = std::move(done)](Dispatcher::QueuePage page) {
    QueuePage made;
    for (auto& mail : page.mails)
      made.mails.push_back(shown(std::move(mail)));
    made.continue_after = page.continue_after;
    done(std::move(made));
  });
}

void RelayForRecovery::change_queue(QueueAction action, std::vector<QueueSelection> selected,
                                    dumpster::Completion<QueueChanged> done) {
  using Action = Dispatcher::QueueAction;
  const auto wanted = action == QueueAction::hold      ? Action::hold
                      : action == QueueAction::release ? Action::release
                      : action == QueueAction::retry   ? Action::retry
                                                       : Action::remove;
  std::vector<Dispatcher::QueueSelection> chosen;
  for (auto& selection : selected)
    chosen.push_back({selection.message, std::move(selection.recipients)});
  dispatcher_.change_queue(wanted, std::move(chosen),
                           [done = std::move(done)](dumpster::Result<Dispatcher::QueueChanged> changed) {
                             if (!changed) return done(changed.error());
                             done(QueueChanged{changed->messages, changed->recipients, changed->under_way});
                           });
}

void RelayForRecovery::hold(std::string cluster, dumpster::Duration duration,
                            dumpster::Completion<Holding> done) {
  dispatcher_.hold(std::move(cluster), duration, told(std::move(done)));
}

void RelayForRecovery::release(std::string cluster, dumpster::Completion<Holding> done) {
  dispatcher_.release(std::move(cluster), told(std::move(done)));
}

void RelayForRecovery::load(std::string cluster, std::function<void(recovery::ClusterLoad)> done) const {
  dispatcher_.load(std::move(cluster), [this, done = std::move(done)](const Dispatcher::Load& load) {
    recovery::ClusterLoad weighed;
    weighed.fresh_waiting = load.fresh_waiting;
    weighed.resubmitted_waiting = load.resubmitted_waiting;
    weighed.loading = load.loading;
    weighed.in_flight = load.in_flight;
    weighed.unreachable = load.unreachable;
    weighed.held = load.held;
    weighed.accepting = accepting();
    done(weighed);
  });
}

void RelayForRecovery::destinations(std::function<void(std::vector<Destination>)> done) const {
  dispatcher_.status([done = std::move(done)](std::vector<Dispatcher::Status> all) {
    std::vector<Destination> destinations;
    for (auto& each : all) {
      destinations.push_back({std::move(each.route), each.queued, each.in_flight, each.held_in_doubt,
                              std::move(each.last_error)});
    }
    done(std::move(destinations));
  });
}

}  // namespace relay
