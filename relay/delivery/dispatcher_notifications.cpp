#include <boost/asio/post.hpp>

#include <algorithm>

#include "metrics/log.hpp"
#include "relay/delivery/dispatcher.hpp"

namespace relay {

using Kind = dumpster::RecipientOutcome::Kind;
using notification::PostmasterReport;
using NotificationKind = notification::Kind;

namespace {

constexpr std::size_t most_delays_at_once = 100;  // each second: a long queue is no storm

bool wants_success(const QueuedMessage& message, std::uint32_t index) {
  const auto notify = message.spooled.message.envelope.recipients.at(index).notify;
  return (notify & dumpster::notify::success) != 0;
}

}  // namespace

/// Recipients whose end the sender is told: a refusal, and a delivery where that was asked for and no next
/// hop tells it. What was delivered before belongs to a resubmission, which tells no sender (promise 7).
std::vector<notification::RecipientStatus> Dispatcher::to_be_told(const QueuedMessage& message,
                                                                  const dumpster::AttemptOutcome& outcome,
                                                                  bool dsn_passed_on) const {
  std::vector<notification::RecipientStatus> told;
  if (message.spooled.message.envelope.sender.empty()) return told;
  for (const auto& ended : outcome.recipients) {
    const auto* entry = message.entry(ended.index);
    if (entry == nullptr || entry->ever_delivered) continue;
    const bool refused = ended.kind == Kind::refused;
    const bool success = ended.kind == Kind::delivered && !dsn_passed_on && entry->resubmission.is_nil() &&
                         wants_success(message, ended.index);
    if (!refused && !success) continue;
    notification::RecipientStatus status;
    status.index = ended.index;
    status.reply = reply_from(ended.reply);
    status.remote_mta = outcome.target ? outcome.target->node : outcome.where;
    status.kind = refused          ? NotificationKind::failure
                  : outcome.target ? NotificationKind::success
                                   : NotificationKind::relayed;
    told.push_back(std::move(status));
  }
  return told;
}

/// A notification needs the header of the original: it is read first.
void Dispatcher::read_and_notify(const Message& message, std::vector<notification::RecipientStatus> told,
                                 dumpster::AttemptOutcome outcome, Notified then) {
  if (told.empty()) {
    then(std::move(outcome), nullptr);
    return;
  }
  auto request = std::make_shared<notification::NotificationRequest>();
  request->recipients = std::move(told);
  auto moved = std::make_shared<dumpster::AttemptOutcome>(std::move(outcome));
  auto read = [this, message, request, moved, then = std::move(then)](dumpster::Result<std::string> text) {
    on_own_thread(
        [this, message, request, moved, then, head = text ? std::move(*text) : std::string{}]() mutable {
          request->whole = message->spooled.message.chunks == 1 && !head.empty();
          request->original_text = std::move(head);
          complete(*message, *request);
          moved->notification = built(*request);
          then(std::move(*moved), moved->notification ? request : nullptr);
        });
  };
  if (message->body) {
    read(message->body->chunks().front());
  } else {
    store_.read_body(message->spooled.message.key, 0, std::move(read));
  }
}

void Dispatcher::complete(const QueuedMessage& message, notification::NotificationRequest& request) const {
  request.original = message.spooled.message;
  request.hub_name = settings_.hub_name;
  request.now = clock_.now();
  request.key = dumpster::new_uuid(request.now);
  // The worst of what is told is what the report is called.
  request.kind = NotificationKind::relayed;
  for (const auto& status : request.recipients)
    request.kind = std::min(request.kind, status.kind.value_or(NotificationKind::failure));
  if (request.kind == NotificationKind::delay)
    request.retry_until = request.original.received_at + settings_.queue_lifetime;
}

/// The same request gives the same message, byte for byte: after a write of unknown outcome it may be there
/// already.
std::optional<dumpster::NewMessage> Dispatcher::built(const notification::NotificationRequest& request) {
  auto made = notification::build_notification(request);
  if (!made) return made;
  made->origin = "notification about " + dumpster::to_string(request.original.key);
  made->message.envelope.recipients = resolved(request.original.envelope.sender);
  if (made->body.size() > dumpster::body_chunk_size) {
    auto& message = made->message;
    message.chunks = 0;
    for (std::size_t from = 0; from < made->body.size(); from += dumpster::body_chunk_size) {
      store_.append_body(message.key, message.chunks++, made->body.substr(from, dumpster::body_chunk_size),
                         [](dumpster::Result<dumpster::Done>) {});  // what fails here fails the record, too
    }
    made->body.clear();
  }
  return made;
}

/// Aliases are followed when mail is accepted, and a notification is accepted here.
std::vector<dumpster::Recipient> Dispatcher::resolved(const std::string& address) const {
  const auto found = directory_()->find(address);
  std::vector<dumpster::Recipient> recipients;
  const auto* targets = found ? std::get_if<std::vector<Resolved>>(&*found) : nullptr;
  if (targets != nullptr) {
    for (const auto& target : *targets)
      recipients.push_back({target.address, address, {}, dumpster::notify::never});
  }
  if (recipients.empty()) recipients.push_back({address, address, {}, dumpster::notify::never});
  return recipients;
}

/// Looks once at each message that has become old enough, in the order of their age.
void Dispatcher::tell_of_delays(dumpster::Instant now) {
  if (settings_.delay_warning == dumpster::Duration::zero() || !store_.writable() || drained_) return;
  for (std::size_t told = 0; told < most_delays_at_once;) {
    const auto next = messages_.upper_bound(delays_told_until_);
    if (next == messages_.end() || now < next->second->spooled.message.received_at + settings_.delay_warning)
      return;
    delays_told_until_ = next->first;
    const auto message = next->second;
    if (message->spooled.message.envelope.sender.empty()) continue;
    tell_of_delay(message, now);
    ++told;
  }
}

/// Who waits for evidence may have the mail already, and who is in a transaction may have it in a moment.
void Dispatcher::tell_of_delay(const Message& message, dumpster::Instant now) {
  dumpster::AttemptOutcome outcome;
  outcome.message = message->spooled.message.key;
  outcome.attempt = message->spooled.attempts;
  std::vector<notification::RecipientStatus> told;
  for (const auto& entry : message->spooled.entries) {
    if (entry.delay_told || entry.in_doubt || entry.ever_delivered || !entry.resubmission.is_nil()) continue;
    if (message->under_way.contains(entry.index)) continue;
    if (too_old(message->spooled, entry, now, settings_.queue_lifetime))
      continue;  // hears of its end instead
    notification::RecipientStatus status;
    status.index = entry.index;
    status.kind = NotificationKind::delay;
    status.reply = entry.last_reply.empty() ? smtp::Reply{451, "4.4.1", "no attempt was possible yet"}
                                            : reply_from(entry.last_reply);
    told.push_back(std::move(status));
    dumpster::RecipientOutcome delayed;
    delayed.index = entry.index;
    delayed.kind = Kind::delayed;
    delayed.reply = entry.last_reply;
    outcome.recipients.push_back(std::move(delayed));
  }
  if (told.empty()) return;
  ++message->recording;
  ++message->recordings;
  ++recordings_;
  read_and_notify(message, std::move(told), std::move(outcome),
                  [this, message](dumpster::AttemptOutcome complete, Request request) {
                    if (complete.notification) {
                      write(message, std::move(complete), std::nullopt, std::move(request));
                      return;
                    }
                    --message->recording;  // nobody wants to know
                    --recordings_;
                    forget_when_settled(message);
                    drained_when_idle();
                  });
}

/// What no sender is told: a bounce that cannot be delivered, and a refused resubmission (promise 7).
void Dispatcher::note_for_postmaster(const QueuedMessage& message, const dumpster::AttemptOutcome& outcome) {
  const auto& accepted = message.spooled.message;
  for (const auto& ended : outcome.recipients) {
    if (ended.kind != Kind::refused) continue;
    const auto& recipient = accepted.envelope.recipients.at(ended.index);
    const auto* entry = message.entry(ended.index);
    const bool failed = entry != nullptr && entry->ever_delivered;
    if (!failed && !accepted.envelope.sender.empty()) continue;
    // A report that its own reader does not take must not make the next one.
    if (recipient.original_address == settings_.postmaster || recipient.address == settings_.postmaster)
      continue;
    PostmasterReport::Case one;
    one.kind = failed ? PostmasterReport::Case::Kind::failed_resubmission
                      : PostmasterReport::Case::Kind::undeliverable_notification;
    one.message = accepted.key;
    one.message_id = accepted.message_id;
    one.sender = accepted.envelope.sender;
    one.recipient = recipient.address;
    one.where =
        outcome.target ? outcome.target->group.cluster + "/" + outcome.target->group.group : outcome.where;
    one.reply = ended.reply;
    postmaster_report_.add(std::move(one), clock_.now());
  }
}

void Dispatcher::report_to_postmaster(dumpster::Instant now) {
  if (!postmaster_report_.due(now) || !store_.writable() || drained_) return;
  const auto directory = directory_();
  const auto found = directory->find(settings_.postmaster);
  if (!found) {
    directory->ask(settings_.postmaster, [](const Lookup&) {});  // at hand the next time
    return;
  }
  const auto* fault = std::get_if<LookupFault>(&*found);
  if (fault != nullptr && *fault == LookupFault::unavailable) return;
  if (settings_.postmaster.empty() || (fault != nullptr && !settings_.smarthost)) {
    const auto dropped = postmaster_report_.drop();
    metrics::log_warning(
        "postmaster not told",
        {{"postmaster", settings_.postmaster}, {"cases", dropped}, {"reason", "unknown address"}});
    return;
  }
  auto report =
      postmaster_report_.take(settings_.hub_name, settings_.postmaster, resolved(settings_.postmaster), now);
  auto message = report.message;
  ++recordings_;
  store_.accept(std::move(report),
                [this, message = std::move(message)](dumpster::Result<dumpster::Done> accepted) {
                  on_own_thread([this, message, failed = !accepted] {
                    --recordings_;
                    if (failed) {
                      metrics::log_warning("postmaster not told", {{"postmaster", settings_.postmaster},
                                                                   {"reason", "the store cannot write"}});
                    } else {
                      submit(message, nullptr);
                    }
                    drained_when_idle();
                  });
                });
}

}  // namespace relay
