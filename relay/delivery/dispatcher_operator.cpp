#include <algorithm>

#include "metrics/log.hpp"
#include "relay/delivery/dispatcher.hpp"

namespace relay {

namespace {

// One look must not keep mail waiting, however long the queue is.
constexpr std::size_t most_looked_at = 2000;

}  // namespace

void Dispatcher::queue(QueueFilter filter, std::optional<dumpster::Uuid> after,
                       std::function<void(QueuePage)> done) {
  on_own_thread([this, filter = std::move(filter), after, done = std::move(done)] {
    QueuePage page;
    const auto directory = directory_();
    auto next = after ? messages_.upper_bound(*after) : messages_.begin();
    for (std::size_t looked_at = 0; next != messages_.end() && looked_at < most_looked_at;
         ++looked_at, ++next) {
      auto mail = inspect(*next->second, filter, *directory, settings_.smarthost);
      if (!mail.recipients.empty()) page.mails.push_back(std::move(mail));
      page.continue_after = next->first;
    }
    if (next == messages_.end()) page.continue_after.reset();
    done(std::move(page));
  });
}

/// Gathers what several writes make of one order.
struct Dispatcher::OrderedChange {
  QueueAction action = QueueAction::hold;
  QueueChanged changed;
  std::size_t waiting = 1;
  std::set<Message> touched;
  std::optional<dumpster::Error> failure;
  std::function<void(dumpster::Result<QueueChanged>)> done;
};

void Dispatcher::one_less(OrderedChange& order) {
  if (--order.waiting > 0) return;
  take_out_of_jobs(order.touched);
  for (const auto& message : order.touched)
    schedule(message);
  if (order.failure) {
    order.done(*order.failure);
  } else {
    order.done(order.changed);
  }
}

void Dispatcher::change_queue(QueueAction action, std::vector<QueueSelection> selected,
                              std::function<void(dumpster::Result<QueueChanged>)> done) {
  on_own_thread([this, action, selected = std::move(selected), done = std::move(done)]() mutable {
    auto order = std::make_shared<OrderedChange>();
    order->action = action;
    order->done = std::move(done);
    for (auto& selection : selected) {
      const auto found = messages_.find(selection.message);
      if (found == messages_.end()) continue;
      const auto& message = found->second;
      std::vector<std::uint32_t> recipients;
      for (const auto index : selection.recipients) {
        if (message->entry(index) == nullptr) continue;
        if (message->under_way.contains(index)) {
          ++order->changed.under_way;
        } else {
          recipients.push_back(index);
        }
      }
      if (recipients.empty()) continue;
      if (action == QueueAction::retry) {
        retry_now(message, recipients, *order);
      } else if (action == QueueAction::remove) {
        remove_from_queue(message, std::move(recipients), order);
      } else {
        hold_in_queue(message, std::move(recipients), order);
      }
    }
    one_less(*order);
  });
}

/// Back-off ends, and dead destinations are probed at once; what is in doubt still waits for evidence.
void Dispatcher::retry_now(const Message& message, const std::vector<std::uint32_t>& recipients,
                           OrderedChange& order) {
  const auto directory = directory_();
  for (auto& entry : message->spooled.entries) {
    if (std::find(recipients.begin(), recipients.end(), entry.index) == recipients.end()) continue;
    entry.next_attempt = clock_.now();
    const auto& address = message->spooled.message.envelope.recipients.at(entry.index).address;
    const auto route = find_route(entry, address, *directory, settings_.smarthost);
    if (route.destination) connections_to(*route.destination).queue.probe_now();
    ++order.changed.recipients;
  }
  ++order.changed.messages;
  schedule(message);
}

void Dispatcher::hold_in_queue(const Message& message, std::vector<std::uint32_t> recipients,
                               const std::shared_ptr<OrderedChange>& order) {
  const bool held = order->action == QueueAction::hold;
  const auto key = message->spooled.message.key;
  ++order->waiting;
  auto written = [this, message, recipients, order, held](dumpster::Result<dumpster::Done> result) {
    on_own_thread([this, message, recipients, order, held, result = std::move(result)] {
      if (!result) {
        order->failure = result.error();
      } else {
        for (auto& entry : message->spooled.entries) {
          if (std::find(recipients.begin(), recipients.end(), entry.index) != recipients.end())
            entry.held = held;
        }
        ++order->changed.messages;
        order->changed.recipients += recipients.size();
        log_operation(*message, recipients, held ? "held" : "released");
        order->touched.insert(message);
      }
      one_less(*order);
    });
  };
  store_.hold_recipients(key, std::move(recipients), held, std::move(written));
}

void Dispatcher::remove_from_queue(const Message& message, std::vector<std::uint32_t> recipients,
                                   const std::shared_ptr<OrderedChange>& order) {
  dumpster::AttemptOutcome outcome;
  outcome.message = message->spooled.message.key;
  outcome.attempt = message->spooled.attempts;
  for (const auto index : recipients) {
    dumpster::RecipientOutcome ended;
    ended.index = index;
    ended.kind = dumpster::RecipientOutcome::Kind::deleted;
    ended.reply = "554 5.7.0 deleted by an operator";
    outcome.recipients.push_back(std::move(ended));
  }
  ++order->waiting;
  ++message->recording;
  ++message->recordings;
  ++recordings_;
  auto kept = std::make_shared<const dumpster::AttemptOutcome>(outcome);
  store_.record(std::move(outcome), [this, message, recipients = std::move(recipients), order,
                                     kept](dumpster::Result<dumpster::AttemptRecorded> result) {
    on_own_thread([this, message, recipients, order, kept, result = std::move(result)]() mutable {
      if (!result) {
        order->failure = result.error();
      } else {
        ++order->changed.messages;
        order->changed.recipients += recipients.size();
        metrics_.deleted(recipients.size());
        log_operation(*message, recipients, "deleted");
      }
      recorded(message, *kept, std::move(result));
      order->touched.insert(message);
      one_less(*order);
      drained_when_idle();
    });
  });
}

/// Recipients who are not due any more leave the jobs that wait, so that a dead destination keeps nobody.
void Dispatcher::take_out_of_jobs(const std::set<Message>& messages) {
  if (messages.empty()) return;
  for (auto& [destination, connections] : connections_) {
    auto jobs =
        connections.queue.remove([&messages](const Job& job) { return messages.contains(job.message); });
    for (auto& job : jobs)
      put_back(std::move(job));
  }
}

void Dispatcher::log_operation(const QueuedMessage& message, const std::vector<std::uint32_t>& recipients,
                               std::string_view what) const {
  const auto& accepted = message.spooled.message;
  for (const auto index : recipients) {
    metrics::log_info(what, {{"id", dumpster::to_string(accepted.key)},
                             {"message_id", accepted.message_id},
                             {"sender", accepted.envelope.sender},
                             {"recipient", accepted.envelope.recipients.at(index).address},
                             {"by", "operator"}});
  }
}

}  // namespace relay
