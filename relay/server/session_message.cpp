#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "metrics/log.hpp"
#include "relay/server/policy.hpp"
#include "relay/server/session.hpp"
#include "relay/smtp/received_field.hpp"

namespace relay {

namespace asio = boost::asio;

namespace {

std::string text_of(const TlsSession* tls) {
  if (tls == nullptr) return {};
  return tls->protocol + " " + tls->cipher + ", " + std::to_string(tls->bits) + " bits";
}

}  // namespace

/// Before the reply to DATA: the client does not get ahead of where its mail goes.
asio::awaitable<void> Session::slow_down() {
  const auto slowdowns = context_.slowdowns();
  const auto pause = longest_pause(*slowdowns, targets_, settings_->smarthost);
  if (pause.count() == 0) co_return;
  context_.metrics.message_slowed();
  asio::steady_timer timer{connection_->executor(), pause};
  boost::system::error_code ignored;
  co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
}

void Session::begin_message() {
  if (!context_.store.writable()) {
    context_.metrics.rejected("store_unavailable");
    machine_.answer({451, "4.3.0", "mail cannot be stored now"});
    return;
  }
  const auto now = context_.clock.now();
  const auto& envelope = machine_.envelope();
  dumpster::Message message;
  message.key = dumpster::new_uuid(now);
  message.received_at = now;
  smtp::Reception reception;
  reception.client_name = machine_.client_name();
  reception.client_address = client_.to_string();
  reception.forwarded_for = machine_.forwarded().address;
  reception.hub_name = settings_->hub_name;
  reception.transmission_type = machine_.transmission_type();
  reception.tls = text_of(connection_->tls());
  reception.id = dumpster::to_string(message.key);
  if (envelope.recipients.size() == 1) reception.recipient = envelope.recipients.front().address;
  reception.received_at = now;
  refusal_.clear();
  incoming_.emplace(context_.store, context_.fresh_bodies, std::move(message),
                    smtp::received_field(reception), settings_->hub_name);
  incoming_->came_from(reception.client_name + " [" + reception.client_address + "]");
  // Only who may use this hub to submit mail is helped to complete it (RFC 6409 8).
  if (may_relay()) incoming_->complete_header();
  machine_.answer({250, "2.0.0", "go on"});
}

asio::awaitable<void> Session::take_body(std::string_view bytes) {
  bool more = incoming_.has_value();
  if (!more) co_return;
  incoming_->add(bytes);
  if (!incoming_->chunk_is_full()) co_return;
  const auto written = co_await incoming_->write_full_chunks();
  if (!written && refusal_.empty()) refusal_ = written.error().detail;
}

/// RFC 5321 6.3.
std::optional<smtp::Reply> Session::loop_refusal() const {
  const auto& header = incoming_->header();
  if (header.received_fields() > settings_->max_received) {
    return smtp::Reply{554, "5.4.6", "too many Received fields, the message goes in circles"};
  }
  if (header.passes() >= settings_->max_passes) {
    return smtp::Reply{554, "5.4.6", "the message has been here too often, it goes in circles"};
  }
  return std::nullopt;
}

asio::awaitable<smtp::Reply> Session::store_message() {
  auto& incoming = *incoming_;
  auto envelope = machine_.envelope();
  envelope.recipients = expand_recipients(envelope.recipients, targets_);
  incoming.message().envelope = std::move(envelope);
  const auto begun = std::chrono::steady_clock::now();
  if (refusal_.empty()) {
    const auto limit = settings_->commit_limit;
    const auto stored = co_await incoming.accept(limit);
    if (!stored) refusal_ = stored.error().detail;
    context_.load_gate.committed(std::chrono::steady_clock::now() - begun);
  }
  smtp::Reply reply{451, "4.3.0", "mail cannot be stored now"};
  if (refusal_.empty()) {
    const auto& message = incoming.message();
    reply = {250, "2.0.0", "accepted as " + dumpster::to_string(message.key)};
    context_.metrics.message_received(message.size);
    log_accepted();
    context_.accepted(message, incoming.fresh_body());
  } else {
    context_.metrics.rejected("store_unavailable");
    metrics::log_error("message not stored", {{"reason", refusal_}});
  }
  co_return reply;
}

void Session::log_accepted() const {
  const auto& message = incoming_->message();
  const auto& forwarded = machine_.forwarded();
  metrics::log_info("accepted", {{"id", dumpster::to_string(message.key)},
                                 {"message_id", message.message_id},
                                 {"sender", message.envelope.sender},
                                 {"recipient", message.envelope.recipients.front().address},
                                 {"recipients", message.envelope.recipients.size()},
                                 {"size", message.size},
                                 {"client", client_.to_string()},
                                 {"protocol", machine_.transmission_type()},
                                 {"user", machine_.user()},
                                 {"forwarded_for", forwarded.address},
                                 {"forwarded_name", forwarded.name}});
}

asio::awaitable<void> Session::end_message() {
  const auto commands = machine_.envelope().recipients.size();
  const auto looping = loop_refusal();
  smtp::Reply reply;
  if (looping) {
    reply = *looping;
    context_.metrics.rejected("loop");
  } else {
    reply = co_await store_message();
  }
  incoming_.reset();
  targets_.clear();
  target_count_ = 0;
  const bool lmtp = listener_.protocol == smtp::Protocol::lmtp;
  machine_.answer_message(std::vector<smtp::Reply>(lmtp ? commands : 1, reply));
}

}  // namespace relay
