#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "dumpster/await.hpp"
#include "metrics/log.hpp"
#include "relay/net/proxy_header.hpp"
#include "relay/server/policy.hpp"
#include "relay/server/session.hpp"

namespace relay {

namespace asio = boost::asio;
using boost::system::error_code;

namespace {

constexpr std::chrono::seconds proxy_limit{30};
constexpr std::chrono::seconds handshake_limit{60};
constexpr std::chrono::seconds failed_auth_delay{1};

std::string text_of(const asio::ip::address& address) {
  return address.to_string();
}

}  // namespace

/// One of the client's connections, for as long as it lasts.
class Session::Visit {
 public:
  Visit(ClientLimits& limits, asio::ip::address client) : limits_(limits), client_(std::move(client)) {}
  ~Visit() { limits_.close(client_); }
  Visit(const Visit&) = delete;
  Visit& operator=(const Visit&) = delete;

 private:
  ClientLimits& limits_;
  asio::ip::address client_;
};

Session::Session(std::shared_ptr<Connection> connection, std::size_t listener, ServerContext& context)
    : connection_(std::move(connection)),
      context_(context),
      settings_(context.settings()),
      listener_(settings_->listeners.at(listener)),
      client_(connection_->remote().address()),
      trusted_(any_contains(settings_->trusted_networks, client_)),
      machine_(machine_settings()) {}

Session::~Session() = default;

smtp::ServerSettings Session::machine_settings() const {
  smtp::ServerSettings made;
  made.protocol = listener_.protocol;
  made.hub_name = settings_->hub_name;
  made.max_message_size = settings_->max_message_size;
  made.max_recipients = settings_->max_recipients;
  made.secure = listener_.tls == ListenerSettings::Tls::implicit;
  made.starttls = listener_.tls == ListenerSettings::Tls::starttls;
  made.authentication = settings_->passwords != nullptr && listener_.tls != ListenerSettings::Tls::none;
  made.require_authentication = listener_.require_auth;
  made.xforward = trusted_;
  return made;
}

/// Only trusted proxies are listened to: with this header anybody could pretend to be anybody.
asio::awaitable<bool> Session::read_proxy_header() {
  ProxyHeaderReader reader;
  error_code error;
  if (!trusted_) {
    context_.metrics.rejected("proxy");
    metrics::log_warning("connection to a port for proxies from outside the trusted networks",
                         {{"client", text_of(client_)}});
    co_return false;
  }
  std::vector<char> room(reader.wanted());
  while (reader.wanted() > 0) {
    room.resize(reader.wanted());
    const auto buffer = asio::buffer(room);
    const auto size = co_await connection_->read_some(buffer, proxy_limit, error);
    if (error) co_return false;
    reader.feed({room.data(), size});
  }
  if (reader.state() != ProxyHeaderReader::State::done) {
    context_.metrics.rejected("proxy");
    metrics::log_warning("connection without a PROXY header", {{"proxy", text_of(client_)}});
    co_return false;
  }
  if (reader.client()) {
    client_ = reader.client()->address();
    trusted_ = any_contains(settings_->trusted_networks, client_);
    machine_ = smtp::ServerMachine{machine_settings()};
  }
  co_return true;
}

/// Within the client's own limit of connections.
bool Session::admit() {
  const auto limit = trusted_ ? 0 : settings_->client.connections;
  if (!context_.clients.open(client_, limit)) return false;
  visit_ = std::make_unique<Visit>(context_.clients, client_);
  return true;
}

/// The handshake, behind STARTTLS or at once. False when the session is over.
asio::awaitable<bool> Session::make_tls(bool greeted) {
  error_code error;
  if (greeted) {
    const auto output = machine_.take_output();
    error = co_await connection_->write(output, handshake_limit);
    if (error) co_return false;
  }
  const auto context = listener_.tls_context;
  error = co_await connection_->handshake_as_server(context, handshake_limit);
  if (error) {
    context_.metrics.rejected("tls");
    metrics::log_info("TLS handshake failed",
                      {{"client", text_of(client_)}, {"reason", connection_->tls_fault()}});
    co_return false;
  }
  if (greeted) machine_.secured();
  co_return true;
}

asio::awaitable<void> Session::check_password(std::string user, std::string password) {
  using Verdict = Authenticator::Verdict;
  const auto now = std::chrono::steady_clock::now();
  if (!context_.clients.auth_allowed(client_, settings_->client.auth_failures, now)) {
    context_.metrics.rejected("auth_limit");
    machine_.answer({454, "4.7.0", "too many failures, try again later"});
    co_return;
  }
  auto check = [&](dumpster::Completion<Verdict> done) {
    context_.authenticator.check(settings_->passwords, user, std::move(password), std::move(done));
  };
  const auto checked = co_await dumpster::await_result<Verdict>(check);
  const auto verdict = checked ? *checked : Verdict::busy;
  if (verdict == Verdict::accepted) {
    metrics::log_info("authenticated", {{"user", user}, {"client", text_of(client_)}});
    machine_.answer({235, "2.7.0", "authenticated"});
    co_return;
  }
  if (verdict == Verdict::busy) {
    machine_.answer({454, "4.7.0", "cannot check passwords now, try again later"});
    co_return;
  }
  context_.clients.auth_failed(client_, std::chrono::steady_clock::now());
  metrics::log_warning("authentication failed", {{"user", user}, {"client", text_of(client_)}});
  asio::steady_timer pause{connection_->executor(), failed_auth_delay};
  error_code ignored;
  co_await pause.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  machine_.answer({535, "5.7.8", "user or password is wrong"});
}

bool Session::within_rate(ClientLimits::Kind kind, std::uint32_t per_minute) {
  if (trusted_) return true;
  return context_.clients.take(client_, kind, per_minute, std::chrono::steady_clock::now());
}

void Session::check_sender() {
  targets_.clear();
  target_count_ = 0;
  if (context_.load_gate.closed()) {
    context_.metrics.rejected("overload");
    const bool disk = context_.load_gate.reason() == LoadGate::Reason::disk;
    return machine_.answer(disk ? smtp::Reply{452, "4.3.1", "no space for mail now, try again later"}
                                : smtp::Reply{451, "4.3.2", "overloaded, try again later"});
  }
  if (!within_rate(ClientLimits::Kind::message, settings_->client.messages_per_minute)) {
    context_.metrics.rejected("rate");
    return machine_.answer({450, "4.7.1", "too many messages from you, try again later"});
  }
  machine_.answer({250, "2.1.0", "sender ok"});
}

asio::awaitable<void> Session::check_recipient(std::string address) {
  const auto directory = context_.directory();
  if (!within_rate(ClientLimits::Kind::recipient, settings_->client.recipients_per_minute)) {
    context_.metrics.rejected("rate");
    machine_.answer({450, "4.7.1", "too many recipients from you, try again later"});
    co_return;
  }
  auto found = directory->find(address);
  if (!found) {
    auto ask = [&](dumpster::Completion<Lookup> done) {
      directory->ask(std::move(address), std::move(done));
    };
    auto answer = co_await dumpster::await_result<Lookup>(ask);
    found = std::move(*answer);  // a directory answers, whatever happens
  }
  auto decision = decide_recipient(std::move(*found), may_relay(), settings_->smarthost.has_value());
  if (decision.reply.code == 250 && target_count_ + decision.targets.size() > settings_->max_recipients) {
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

}  // namespace relay
