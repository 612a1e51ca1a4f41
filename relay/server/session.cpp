#include "relay/server/session.hpp"

#include <boost/asio/post.hpp>

#include "metrics/log.hpp"

namespace relay {

namespace asio = boost::asio;
using boost::system::error_code;
using smtp::ServerMachine;

namespace {

constexpr std::chrono::minutes write_limit{5};
constexpr std::chrono::seconds last_word_limit{5};
constexpr std::chrono::seconds tls_end_limit{1};
constexpr std::size_t command_buffer = 2 * 1024;  // idle sessions are many
constexpr std::size_t body_buffer = 16 * 1024;
constexpr std::size_t worth_waiting_for = 1024;  // octets of a message that move the deadline

std::string_view protocol_name(smtp::Protocol protocol) {
  return protocol == smtp::Protocol::lmtp ? "lmtp" : "smtp";
}

}  // namespace

void Session::stop() {
  asio::post(connection_->executor(), [self = shared_from_this()] {
    self->stopping_ = true;
    if (!self->incoming_) self->connection_->interrupt();
  });
}

/// Counted and registered for as long as it lives, however the session ends.
class Session::Registration {
 public:
  Registration(ServerContext& context, std::size_t limit, std::string_view protocol,
               std::function<void()> stop)
      : context_(context), protocol_(protocol) {
    context_.metrics.connection_opened(protocol_);
    id_ = context_.sessions.add(std::move(stop), limit);
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
  const Registration registration{context_, settings_->max_connections, protocol_name(listener_.protocol),
                                  std::move(stop)};
  if (registration.admitted()) {
    co_await serve();
  } else {
    context_.metrics.rejected("too_many_connections");
    co_await farewell("4.3.2", "too many connections, try again later");
  }
  co_await part();
}

/// From the first byte to the last one, on a connection that was let in.
asio::awaitable<void> Session::serve() {
  bool known = true;
  if (listener_.proxy_protocol) known = co_await read_proxy_header();
  if (!known) co_return;
  if (!admit()) {
    context_.metrics.rejected("too_many_connections");
    co_await farewell("4.7.0", "too many connections from you, try again later");
    co_return;
  }
  bool secure = true;
  if (listener_.tls == ListenerSettings::Tls::implicit) secure = co_await make_tls(false);
  if (secure) co_await converse();
}

asio::awaitable<void> Session::converse() {
  bool open = true;
  const bool lmtp = listener_.protocol == smtp::Protocol::lmtp;
  machine_.greet({220, "", settings_->hub_name + (lmtp ? " LMTP" : " ESMTP")});
  deadline_ = std::chrono::steady_clock::now() + settings_->command_limit;
  while (open) {
    auto action = machine_.next();
    open = co_await take(std::move(action));
  }
}

asio::awaitable<bool> Session::take(ServerMachine::Action action) {
  bool open = true;
  if (std::holds_alternative<ServerMachine::NeedInput>(action)) {
    open = co_await exchange();
    co_return open;
  }
  if (const auto* body = std::get_if<ServerMachine::BodyBytes>(&action)) {
    const auto bytes = body->bytes;
    co_await take_body(bytes);
    co_return true;
  }
  // Anything else is a command, or the end of a message: the client has kept its time.
  progress(worth_waiting_for);
  if (std::holds_alternative<ServerMachine::CheckSender>(action)) {
    check_sender();
  } else if (auto* check = std::get_if<ServerMachine::CheckRecipient>(&action)) {
    auto address = std::move(check->recipient.address);
    co_await check_recipient(std::move(address));
  } else if (auto* password = std::get_if<ServerMachine::CheckPassword>(&action)) {
    auto user = std::move(password->user);
    auto secret = std::move(password->password);
    co_await check_password(std::move(user), std::move(secret));
  } else if (std::holds_alternative<ServerMachine::BeginMessage>(action)) {
    co_await slow_down();
    begin_message();
  } else if (std::holds_alternative<ServerMachine::EndMessage>(action)) {
    co_await end_message();
  } else if (const auto* drop = std::get_if<ServerMachine::DropMessage>(&action)) {
    context_.metrics.rejected(drop->reason);
    incoming_.reset();
  } else if (const auto* refused = std::get_if<ServerMachine::Refused>(&action)) {
    context_.metrics.rejected(refused->reason);
  } else if (std::holds_alternative<ServerMachine::StartTls>(action)) {
    open = co_await make_tls(true);
  } else {
    const auto output = machine_.take_output();
    const auto error = co_await connection_->write(output, last_word_limit);
    static_cast<void>(error);
    open = false;
  }
  co_return open;
}

/// A client that sends a byte now and then does not hold its session for ever: the deadline moves with each
/// command, and with each KiB of a message.
void Session::progress(std::size_t bytes) {
  since_deadline_ += bytes;
  if (since_deadline_ < worth_waiting_for) return;
  since_deadline_ = 0;
  deadline_ = std::chrono::steady_clock::now() + settings_->command_limit;
}

std::chrono::milliseconds Session::time_left() const {
  const auto left = deadline_ - std::chrono::steady_clock::now();
  return std::max(std::chrono::milliseconds{1}, std::chrono::ceil<std::chrono::milliseconds>(left));
}

/// Writes what there is to say and reads more. False when the session is over.
asio::awaitable<bool> Session::exchange() {
  error_code error;
  const auto output = machine_.take_output();
  if (!output.empty()) {
    error = co_await connection_->write(output, write_limit);
    if (error) co_return false;
    progress(worth_waiting_for);
  }
  if (stopping_ && !incoming_) {
    co_await farewell("4.3.2", "closing down, try again later");
    co_return false;
  }
  const bool receiving = machine_.receiving();
  const auto wanted = receiving ? body_buffer : command_buffer;
  if (buffer_.size() != wanted) std::vector<char>(wanted).swap(buffer_);
  const auto room = asio::buffer(buffer_);
  const auto limit = time_left();
  const auto size = co_await connection_->read_some(room, limit, error);
  if (!error) {
    if (receiving) progress(size);
    machine_.receive({buffer_.data(), size});
    co_return true;
  }
  if (stopping_ && error == asio::error::operation_aborted) {
    co_await farewell("4.3.2", "closing down, try again later");
  } else if (error == asio::error::timed_out) {
    context_.metrics.rejected("timeout");
    co_await farewell("4.4.2", "nothing heard for too long");
  }
  co_return false;
}

asio::awaitable<void> Session::farewell(std::string enhanced, std::string text) {
  smtp::Reply reply;
  if (listener_.tls == ListenerSettings::Tls::implicit && connection_->tls() == nullptr) co_return;
  reply.code = 421;
  reply.enhanced = std::move(enhanced);
  reply.text = settings_->hub_name + " " + text;
  const auto line = smtp::serialize(reply);
  const auto error = co_await connection_->write(line, last_word_limit);
  static_cast<void>(error);
}

asio::awaitable<void> Session::part() {
  const auto limit = tls_end_limit;
  co_await connection_->close_tls(limit);
  connection_->cut();
}

}  // namespace relay
