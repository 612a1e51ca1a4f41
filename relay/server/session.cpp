#include "relay/server/session.hpp"

#include <boost/asio/post.hpp>

#include "dumpster/await.hpp"
#include "metrics/log.hpp"
#include "relay/server/policy.hpp"
#include "relay/smtp/received_field.hpp"

namespace relay {

namespace asio = boost::asio;
using boost::system::error_code;
using smtp::ServerMachine;

namespace {

constexpr std::chrono::minutes command_limit{5};  // RFC 5321 4.5.3.2.7
constexpr std::chrono::seconds last_word_limit{5};
constexpr std::size_t read_size = 16 * 1024;
constexpr std::size_t max_received_fields = 100;  // RFC 5321 6.3

std::string_view protocol_name(smtp::Protocol protocol) {
  return protocol == smtp::Protocol::lmtp ? "lmtp" : "smtp";
}

smtp::ServerSettings machine_settings(smtp::Protocol protocol, const ServerSettings& settings) {
  smtp::ServerSettings made;
  made.protocol = protocol;
  made.hub_name = settings.hub_name;
  made.max_message_size = settings.max_message_size;
  made.max_recipients = settings.max_recipients;
  return made;
}

}  // namespace

Session::Session(std::shared_ptr<Connection> connection, smtp::Protocol protocol, ServerContext& context)
    : connection_(std::move(connection)),
      context_(context),
      protocol_(protocol),
      trusted_(any_contains(context.settings.trusted_networks, connection_->remote().address())),
      machine_(machine_settings(protocol, context.settings)),
      buffer_(read_size) {}

void Session::stop() {
  asio::post(connection_->executor(), [self = shared_from_this()] {
    self->stopping_ = true;
    if (!self->incoming_) self->connection_->interrupt();
  });
}

/// Counted and registered for as long as it lives, however the session ends.
class Session::Registration {
 public:
  Registration(ServerContext& context, std::string_view protocol, std::function<void()> stop)
      : context_(context), protocol_(protocol) {
    context_.metrics.connection_opened(protocol_);
    id_ = context_.sessions.add(std::move(stop), context_.settings.max_connections);
  }
  ~Registration() {
    if (id_) context_.sessions.remove(*id_);
    context_.metrics.connection_closed(protocol_);
  }
  Registration(const Registration&) = delete;
  Registration& operator=(const Registration&) = delete;
  bool admitted() const { return id_.has_value(); }

 private:
  ServerContext& context_;
  std::string_view protocol_;
  std::optional<SessionRegistry::Id> id_;
};

asio::awaitable<void> Session::run() {
  const auto kept = shared_from_this();
  std::function<void()> stop = [session = std::weak_ptr<Session>{kept}] {
    if (const auto still = session.lock()) still->stop();
  };
  const Registration registration{context_, protocol_name(protocol_), std::move(stop)};
  if (registration.admitted()) {
    co_await converse();
  } else {
    context_.metrics.rejected("too_many_connections");
    co_await farewell("too many connections, try again later");
  }
  connection_->cut();
}

asio::awaitable<void> Session::converse() {
  bool open = true;
  machine_.greet(
      {220, "", context_.settings.hub_name + (protocol_ == smtp::Protocol::lmtp ? " LMTP" : " ESMTP")});
  while (open) {
    auto action = machine_.next();
    if (std::holds_alternative<ServerMachine::NeedInput>(action)) {
      open = co_await exchange();
    } else if (std::holds_alternative<ServerMachine::CheckSender>(action)) {
      targets_.clear();
      target_count_ = 0;
      machine_.answer({250, "2.1.0", "sender ok"});
    } else if (const auto* check = std::get_if<ServerMachine::CheckRecipient>(&action)) {
      auto address = check->recipient.address;
      co_await check_recipient(std::move(address));
    } else if (std::holds_alternative<ServerMachine::BeginMessage>(action)) {
      begin_message();
    } else if (const auto* body = std::get_if<ServerMachine::BodyBytes>(&action)) {
      const auto bytes = body->bytes;
      co_await take_body(bytes);
    } else if (std::holds_alternative<ServerMachine::EndMessage>(action)) {
      co_await end_message();
    } else if (const auto* drop = std::get_if<ServerMachine::DropMessage>(&action)) {
      context_.metrics.rejected(drop->reason);
      incoming_.reset();
    } else if (const auto* refused = std::get_if<ServerMachine::Refused>(&action)) {
      context_.metrics.rejected(refused->reason);
    } else {
      const auto output = machine_.take_output();
      const auto error = co_await connection_->write(output, last_word_limit);
      static_cast<void>(error);
      open = false;
    }
  }
}

/// Writes what there is to say and reads more. False when the session is over.
asio::awaitable<bool> Session::exchange() {
  error_code error;
  const auto output = machine_.take_output();
  if (!output.empty()) {
    error = co_await connection_->write(output, command_limit);
    if (error) co_return false;
  }
  if (stopping_ && !incoming_) {
    co_await farewell("closing down, try again later");
    co_return false;
  }
  const auto room = asio::buffer(buffer_);
  const auto size = co_await connection_->read_some(room, command_limit, error);
  if (!error) {
    machine_.receive({buffer_.data(), size});
    co_return true;
  }
  if (stopping_ && error == asio::error::operation_aborted) {
    co_await farewell("closing down, try again later");
  } else if (error == asio::error::timed_out) {
    context_.metrics.rejected("timeout");
    co_await farewell("nothing heard for too long");
  }
  co_return false;
}

asio::awaitable<void> Session::farewell(std::string text) {
  smtp::Reply reply;
  reply.code = 421;
  reply.enhanced = "4.3.2";
  reply.text = context_.settings.hub_name + " " + text;
  const auto line = smtp::serialize(reply);
  const auto error = co_await connection_->write(line, last_word_limit);
  static_cast<void>(error);
}

asio::awaitable<void> Session::check_recipient(std::string address) {
  const auto directory = context_.directory();
  auto found = directory->find(address);
  if (!found) {
    auto ask = [&](dumpster::Completion<Lookup> done) {
      directory->ask(std::move(address), std::move(done));
    };
    auto answer = co_await dumpster::await_result<Lookup>(ask);
    found = std::move(*answer);  // a directory answers, whatever happens
  }
  auto decision = decide_recipient(std::move(*found), trusted_, context_.settings.has_smarthost);
  if (decision.reply.code == 250 &&
      target_count_ + decision.targets.size() > context_.settings.max_recipients) {
    decision.reply = {452, "4.5.3", "too many recipients behind aliases"};
    decision.refused_for = "too_many_recipients";
  }
  if (decision.reply.code == 250) {
    target_count_ += decision.targets.size();
    targets_.push_back(std::move(decision.targets));
  } else {
    context_.metrics.rejected(decision.refused_for);
  }
  machine_.answer(std::move(decision.reply));
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
  reception.client_address = connection_->remote().address().to_string();
  reception.hub_name = context_.settings.hub_name;
  reception.transmission_type = machine_.transmission_type();
  reception.id = dumpster::to_string(message.key);
  if (envelope.recipients.size() == 1) reception.recipient = envelope.recipients.front().address;
  reception.received_at = now;
  refusal_.clear();
  incoming_.emplace(context_.store, std::move(message), smtp::received_field(reception));
  incoming_->came_from(reception.client_name + " [" + reception.client_address + "]");
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

asio::awaitable<void> Session::end_message() {
  const auto commands = machine_.envelope().recipients.size();
  smtp::Reply reply{451, "4.3.0", "mail cannot be stored now"};
  auto& incoming = *incoming_;
  if (incoming.header().received_fields() > max_received_fields) {
    reply = {554, "5.4.6", "too many Received fields, the message goes in circles"};
    context_.metrics.rejected("loop");
  } else {
    auto envelope = machine_.envelope();
    envelope.recipients = expand_recipients(envelope.recipients, targets_);
    incoming.message().envelope = std::move(envelope);
    if (refusal_.empty()) {
      const auto stored = co_await incoming.accept(context_.fresh_bodies);
      if (!stored) refusal_ = stored.error().detail;
    }
    if (refusal_.empty()) {
      const auto& message = incoming.message();
      const auto id = dumpster::to_string(message.key);
      reply = {250, "2.0.0", "accepted as " + id};
      context_.metrics.message_received(message.size);
      metrics::log_info("accepted", {{"id", id},
                                     {"message_id", message.message_id},
                                     {"sender", message.envelope.sender},
                                     {"recipient", message.envelope.recipients.front().address},
                                     {"recipients", message.envelope.recipients.size()},
                                     {"size", message.size},
                                     {"client", connection_->remote().address().to_string()}});
      context_.accepted(message, incoming.fresh_body());
    } else {
      context_.metrics.rejected("store_unavailable");
      metrics::log_error("message not stored", {{"reason", refusal_}});
    }
  }
  incoming_.reset();
  targets_.clear();
  target_count_ = 0;
  const std::vector<smtp::Reply> replies(protocol_ == smtp::Protocol::lmtp ? commands : 1, reply);
  machine_.answer_message(replies);
}

}  // namespace relay
