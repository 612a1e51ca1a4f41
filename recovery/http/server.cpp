#include "recovery/http/server.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <unordered_set>
#include <vector>

#include "metrics/log.hpp"
#include "recovery/http/session.hpp"
#include "recovery/http/tls.hpp"
#include "recovery/http/unix_socket.hpp"

namespace recovery::http {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;
using Unix = asio::local::stream_protocol;
using TlsContext = std::shared_ptr<asio::ssl::context>;
/// What new connections are given; empty for plain text.
using CurrentTls = std::shared_ptr<TlsContext>;

// After an accept that failed (no descriptor left): how long until the next one.
constexpr std::chrono::milliseconds accept_pause{100};
constexpr std::chrono::milliseconds poll{10};

dumpster::Error invalid(const std::string& address, const std::string& why) {
  return {dumpster::Fault::invalid, "cannot listen on " + address + ": " + why};
}

dumpster::Result<tcp::endpoint> endpoint_from(const std::string& address) {
  const auto colon = address.rfind(':');
  if (colon == std::string::npos || colon + 1 == address.size()) return invalid(address, "it has no port");
  auto host = address.substr(0, colon);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != std::string::npos) {
    return invalid(address, "an IPv6 address wants brackets");
  }
  error_code error;
  const auto ip = asio::ip::make_address(host, error);
  if (error) return invalid(address, "not an IP address");
  const auto digits = address.substr(colon + 1);
  if (digits.size() > 5 || digits.find_first_not_of("0123456789") != std::string::npos ||
      std::stoul(digits) > 65535) {
    return invalid(address, "not a port");
  }
  return tcp::endpoint{ip, static_cast<std::uint16_t>(std::stoul(digits))};
}

std::string peer_of(const tcp::socket& socket) {
  error_code error;
  const auto endpoint = socket.remote_endpoint(error);
  return error ? std::string{"gone"} : endpoint.address().to_string() + ":" + std::to_string(endpoint.port());
}
std::string peer_of(const Unix::socket&) {
  return "unix";
}

bool welcome(tcp::socket& socket) {
  error_code ignored;
  socket.set_option(tcp::no_delay{true}, ignored);
  return true;
}
bool welcome(Unix::socket& socket) {
  return is_own_or_root(socket);
}

}  // namespace

struct Server::State : std::enable_shared_from_this<Server::State> {
  State(asio::any_io_executor on, std::shared_ptr<const Router> with, ServerSettings how)
      : executor(std::move(on)),
        router(std::move(with)),
        settings(std::move(how)),
        bodies(settings.large_bodies) {}

  asio::any_io_executor executor;
  std::shared_ptr<const Router> router;
  ServerSettings settings;
  LargeBodies bodies;
  std::vector<std::function<void()>> close_acceptors;
  std::vector<std::filesystem::path> socket_files;
  std::vector<CurrentTls> renewable;
  std::unordered_set<std::shared_ptr<Session>> sessions;
  bool stopping = false;

  template <class Acceptor>
  void accept_from(Acceptor acceptor, CurrentTls tls);
  template <class Acceptor>
  static asio::awaitable<void> accept_loop(std::shared_ptr<State> state, std::shared_ptr<Acceptor> acceptor,
                                           CurrentTls tls);
  static asio::awaitable<void> run(std::shared_ptr<State> state, std::shared_ptr<Session> session);
  dumpster::Result<std::uint16_t> listen(const std::string& address, CurrentTls tls);
  template <class AcceptedSocket>
  void begin(AcceptedSocket socket, const TlsContext& tls);
  bool make_room();
  void stop_accepting();
  void cut();
};

template <class Acceptor>
void Server::State::accept_from(Acceptor acceptor, CurrentTls tls) {
  auto shared = std::make_shared<Acceptor>(std::move(acceptor));
  close_acceptors.emplace_back([shared] {
    error_code ignored;
    shared->close(ignored);
  });
  asio::co_spawn(executor, accept_loop(shared_from_this(), shared, std::move(tls)), asio::detached);
}

template <class Acceptor>
asio::awaitable<void> Server::State::accept_loop(std::shared_ptr<State> state,
                                                 std::shared_ptr<Acceptor> acceptor, CurrentTls tls) {
  using Protocol = typename Acceptor::protocol_type;
  asio::steady_timer pause{state->executor};
  while (acceptor->is_open() && !state->stopping) {
    error_code error;
    typename Protocol::socket socket{state->executor};
    co_await acceptor->async_accept(socket, asio::redirect_error(asio::use_awaitable, error));
    if (!error) {
      state->begin(std::move(socket), tls ? *tls : nullptr);
    } else if (acceptor->is_open() && !state->stopping) {
      metrics::log_warning("http_accept_failed", {{"error", error.message()}});
      pause.expires_after(accept_pause);
      co_await pause.async_wait(asio::redirect_error(asio::use_awaitable, error));
    }
  }
}

/// Those who hold a connection and ask nothing, or never come to the end of it, do not lock others out: the
/// one that has waited longest goes. False when all are being answered.
bool Server::State::make_room() {
  if (sessions.size() < settings.max_connections) return true;
  std::shared_ptr<Session> longest;
  for (const auto& session : sessions) {
    const auto since = session->waiting_since();
    if (since && (!longest || *since < *longest->waiting_since())) longest = session;
  }
  if (!longest) return false;
  longest->cut();
  sessions.erase(longest);
  return true;
}

template <class AcceptedSocket>
void Server::State::begin(AcceptedSocket socket, const TlsContext& tls) {
  if (stopping || !make_room()) return;
  const auto peer = peer_of(socket);
  if (!welcome(socket)) {
    metrics::log_warning("http_peer_refused", {{"peer", peer}});
    return;
  }
  auto session = make_session(Socket{std::move(socket)}, tls, peer, *router, settings, bodies);
  sessions.insert(session);
  asio::co_spawn(executor, run(shared_from_this(), session), asio::detached);
}

asio::awaitable<void> Server::State::run(std::shared_ptr<State> state, std::shared_ptr<Session> session) {
  const auto kept = session;
  co_await session->run();
  state->sessions.erase(kept);
}

dumpster::Result<std::uint16_t> Server::State::listen(const std::string& address, CurrentTls tls) {
  const auto endpoint = endpoint_from(address);
  if (!endpoint) return endpoint.error();
  tcp::acceptor acceptor{executor};
  error_code error;
  acceptor.open(endpoint->protocol(), error);
  if (!error) acceptor.set_option(asio::socket_base::reuse_address{true}, error);
  if (!error && endpoint->address().is_v6()) acceptor.set_option(asio::ip::v6_only{true}, error);
  if (!error) acceptor.bind(*endpoint, error);
  if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (error)
    return dumpster::Error{dumpster::Fault::unavailable,
                           "cannot listen on " + address + ": " + error.message()};
  const auto port = acceptor.local_endpoint().port();
  accept_from(std::move(acceptor), std::move(tls));
  return port;
}

void Server::State::stop_accepting() {
  stopping = true;
  for (const auto& close : close_acceptors)
    close();
  close_acceptors.clear();
  for (const auto& file : socket_files) {
    std::error_code ignored;
    std::filesystem::remove(file, ignored);
  }
  socket_files.clear();
}

void Server::State::cut() {
  for (const auto& session : sessions)
    session->cut();
}

Server::Server(asio::any_io_executor executor, std::shared_ptr<const Router> router, ServerSettings settings)
    : state_(std::make_shared<State>(std::move(executor), std::move(router), std::move(settings))) {}

Server::~Server() {
  state_->stop_accepting();
  state_->cut();
}

dumpster::Result<std::uint16_t> Server::listen_tcp(const std::string& address) {
  return state_->listen(address, nullptr);
}

dumpster::Result<std::uint16_t> Server::listen_tls(const std::string& address, const TlsSettings& tls) {
  auto context = make_tls_context(tls);
  if (!context) return context.error();
  auto current = std::make_shared<TlsContext>(std::move(*context));
  auto port = state_->listen(address, current);
  if (port) state_->renewable.push_back(std::move(current));
  return port;
}

void Server::renew_tls(const TlsContext& tls) {
  for (const auto& current : state_->renewable)
    *current = tls;
}

dumpster::Result<dumpster::Done> Server::listen_unix(const std::filesystem::path& path) {
  auto acceptor = open_unix_acceptor(state_->executor, path);
  if (!acceptor) return acceptor.error();
  state_->socket_files.push_back(path);
  state_->accept_from(std::move(*acceptor), nullptr);
  return dumpster::Done{};
}

asio::awaitable<void> Server::stop(std::chrono::milliseconds bound) {
  const auto state = state_;
  state->stop_accepting();
  const auto open = state->sessions;  // `finish` may end one
  for (const auto& session : open)
    session->finish();
  asio::steady_timer timer{state->executor};
  const auto until = std::chrono::steady_clock::now() + bound;
  while (!state->sessions.empty() && std::chrono::steady_clock::now() < until) {
    error_code ignored;
    timer.expires_after(poll);
    co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  }
  state->cut();
}

}  // namespace recovery::http
