#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <catch2/catch.hpp>
#include <chrono>
#include <fstream>
#include <memory>
#include <string>

#include "relay/net/certificate_expiry.hpp"
#include "relay/net/connection.hpp"
#include "tests/integration/relay/tls_certificate.hpp"

namespace asio = boost::asio;
using boost::system::error_code;
using namespace std::chrono_literals;
using relay::Connection;
using relay::TlsContext;

namespace {

constexpr std::chrono::milliseconds patience{10'000};

TlsContext server_context(const TlsCertificate& certificate) {
  auto made = relay::make_server_tls({certificate.certificate(), certificate.key()});
  REQUIRE(std::holds_alternative<TlsContext>(made));
  return std::get<TlsContext>(made);
}

TlsContext client_context(const std::filesystem::path& authority, bool verify) {
  relay::ClientTlsSettings settings;
  settings.verify = verify;
  settings.ca = authority;
  auto made = relay::make_client_tls(settings);
  REQUIRE(std::holds_alternative<TlsContext>(made));
  return std::get<TlsContext>(made);
}

/// Two connections to each other on loopback.
struct Pair {
  asio::io_context context{1};
  std::shared_ptr<Connection> server;
  std::shared_ptr<Connection> client;

  Pair() {
    asio::ip::tcp::acceptor acceptor{context, {asio::ip::make_address("127.0.0.1"), 0}};
    asio::ip::tcp::socket connecting{context};
    connecting.connect(acceptor.local_endpoint());
    server = std::make_shared<Connection>(acceptor.accept());
    client = std::make_shared<Connection>(std::move(connecting));
  }
  template <class Coroutine>
  void spawn(Coroutine coroutine) {
    ++running;
    asio::co_spawn(context, std::move(coroutine), [this](std::exception_ptr failure) {
      if (--running == 0) context.stop();  // deadlines that nobody needs any more are still armed
      if (failure) std::rethrow_exception(failure);
    });
  }
  void run() {
    context.run();
    context.restart();
  }
  int running = 0;
};

asio::awaitable<void> serve(std::shared_ptr<Connection> connection, TlsContext context, error_code& result) {
  const auto done = co_await connection->handshake_as_server(std::move(context), patience);
  result = done;
}
asio::awaitable<void> ask(std::shared_ptr<Connection> connection, TlsContext context, std::string host,
                          error_code& result) {
  const auto done = co_await connection->handshake_as_client(std::move(context), std::move(host), patience);
  result = done;
}

struct Handshake {
  error_code server;
  error_code client;
};
Handshake shake(Pair& pair, TlsContext server, TlsContext client, const std::string& host) {
  Handshake results;
  pair.spawn(serve(pair.server, std::move(server), results.server));
  pair.spawn(ask(pair.client, std::move(client), host, results.client));
  pair.run();
  return results;
}

asio::awaitable<void> echo(std::shared_ptr<Connection> connection) {
  std::string buffer(64 * 1024, '\0');
  error_code error;
  while (!error) {
    const auto room = asio::buffer(buffer);
    const auto size = co_await connection->read_some(room, patience, error);
    if (error) break;
    const std::string_view bytes{buffer.data(), size};
    error = co_await connection->write(bytes, patience);
  }
}
asio::awaitable<void> read_all(std::shared_ptr<Connection> connection, std::size_t wanted, std::string& got) {
  std::string buffer(4096, '\0');
  error_code error;
  while (got.size() < wanted && !error) {
    const auto room = asio::buffer(buffer);
    const auto size = co_await connection->read_some(room, patience, error);
    got.append(buffer, 0, size);
  }
  co_await connection->close_tls(1s);
  connection->cut();
}
asio::awaitable<void> send_all(std::shared_ptr<Connection> connection, std::string bytes) {
  const auto error = co_await connection->write(bytes, patience);
  REQUIRE_FALSE(error);
}

}  // namespace

TEST_CASE("bytes go both ways under TLS, and both sides know about the session") {
  const TlsCertificate certificate;
  Pair pair;
  const auto results = shake(pair, server_context(certificate),
                             client_context(certificate.certificate(), true), "hub1.example.test");
  REQUIRE_FALSE(results.server);
  REQUIRE_FALSE(results.client);
  REQUIRE(pair.client->tls() != nullptr);
  CHECK(pair.client->tls()->protocol == "TLSv1.3");
  CHECK(pair.client->tls()->bits >= 128);
  CHECK(pair.client->tls()->verified);
  CHECK(pair.client->tls()->peer_subject == "CN=hub1.example.test");
  REQUIRE(pair.server->tls() != nullptr);
  CHECK(pair.server->tls()->cipher == pair.client->tls()->cipher);
  CHECK(pair.server->tls()->peer_subject.empty());

  const std::string sent(300'000, 'x');
  std::string got;
  pair.spawn(send_all(pair.client, sent));
  pair.spawn(read_all(pair.client, sent.size(), got));
  pair.spawn(echo(pair.server));
  pair.run();
  CHECK(got == sent);
}

TEST_CASE("a server sends no tickets, since it resumes no session") {
  const TlsCertificate certificate;
  const auto client = client_context(certificate.certificate(), true);
  static int tickets = 0;
  tickets = 0;
  SSL_CTX_set_session_cache_mode(client->native_handle(), SSL_SESS_CACHE_CLIENT);
  SSL_CTX_sess_set_new_cb(client->native_handle(), [](SSL*, SSL_SESSION*) { return ++tickets, 0; });
  Pair pair;
  const auto results = shake(pair, server_context(certificate), client, "127.0.0.1");
  REQUIRE_FALSE(results.client);
  std::string got;
  pair.spawn(send_all(pair.client, "text"));
  pair.spawn(read_all(pair.client, 4, got));
  pair.spawn(echo(pair.server));
  pair.run();
  CHECK(got == "text");
  CHECK(tickets == 0);
}

TEST_CASE("an IP address is found among the certificate's addresses") {
  const TlsCertificate certificate;
  Pair pair;
  const auto results =
      shake(pair, server_context(certificate), client_context(certificate.certificate(), true), "127.0.0.1");
  REQUIRE_FALSE(results.client);
  CHECK(pair.client->tls()->verified);
}

TEST_CASE("a certificate for another host fails the handshake and the connection is cut") {
  const TlsCertificate certificate;
  Pair pair;
  const auto results = shake(pair, server_context(certificate),
                             client_context(certificate.certificate(), true), "other.example.test");
  CHECK(results.client);
  CHECK(pair.client->tls_fault() == "hostname mismatch");
  CHECK(pair.client->tls() == nullptr);
}

TEST_CASE("without verification a certificate of nobody is taken and called unverified") {
  const TlsCertificate certificate;
  const TlsCertificate authority{"somebody.example.test"};
  Pair pair;
  const auto results = shake(pair, server_context(certificate),
                             client_context(authority.certificate(), false), "hub1.example.test");
  REQUIRE_FALSE(results.client);
  CHECK_FALSE(pair.client->tls()->verified);
  CHECK_FALSE(pair.client->tls()->peer_fault.empty());
}

TEST_CASE("a handshake with a peer that says something else than TLS fails") {
  const TlsCertificate certificate;
  Pair pair;
  error_code result;
  pair.spawn(serve(pair.server, server_context(certificate), result));
  pair.spawn(send_all(pair.client, "EHLO client.example.test\r\n"));
  pair.run();
  CHECK(result);
  CHECK_FALSE(pair.server->tls_fault().empty());
}

TEST_CASE("a handshake has a deadline") {
  const TlsCertificate certificate;
  Pair pair;
  error_code result;
  auto body = [&]() -> asio::awaitable<void> {
    const auto context = server_context(certificate);
    result = co_await pair.server->handshake_as_server(context, 50ms);
  };
  pair.spawn(std::move(body));
  pair.run();
  CHECK(result == asio::error::timed_out);
}

TEST_CASE("a key of another certificate and files that are not there are faults that name the file") {
  const TlsCertificate one;
  const TlsCertificate other;
  const auto mixed = relay::make_server_tls({one.certificate(), other.key()});
  REQUIRE(std::holds_alternative<relay::TlsFault>(mixed));
  CHECK(std::get<relay::TlsFault>(mixed).text.find(other.key().string()) != std::string::npos);
  const auto missing = relay::make_server_tls({"/nonexistent/tls.crt", one.key()});
  REQUIRE(std::holds_alternative<relay::TlsFault>(missing));
  CHECK(std::get<relay::TlsFault>(missing).text.find("/nonexistent/tls.crt") == 0);
}

TEST_CASE("TLS 1.1 is not spoken") {
  const TlsCertificate certificate;
  auto client = client_context(certificate.certificate(), true);
  SSL_CTX_set_min_proto_version(client->native_handle(), TLS1_1_VERSION);
  SSL_CTX_set_max_proto_version(client->native_handle(), TLS1_1_VERSION);
  SSL_CTX_set_security_level(client->native_handle(), 0);
  Pair pair;
  auto server = server_context(certificate);
  SSL_CTX_set_security_level(server->native_handle(), 0);
  const auto results = shake(pair, std::move(server), std::move(client), "hub1.example.test");
  CHECK(results.server);
  CHECK(results.client);
}

TEST_CASE("a context says until when its certificate is valid") {
  const TlsCertificate certificate;
  const auto left = relay::certificate_expiry(server_context(certificate)) - std::chrono::system_clock::now();
  CHECK(left > 50min);
  CHECK(left <= 60min);
}
