#include <unistd.h>

#include <catch2/catch.hpp>

#include "tests/integration/recovery/http_client.hpp"
#include "tests/integration/recovery/running_server.hpp"

using recovery::HttpClient;
using recovery::RunningServer;
namespace asio = boost::asio;
namespace http = recovery::http;

namespace {

asio::awaitable<void> echo(http::Request request, http::Responder& out) {
  http::Response response;
  response.body = request.body;
  response.fields.emplace_back("Requested", request.method);
  co_await out.send(std::move(response));
}

asio::awaitable<void> stream(http::Request request, http::Responder& out) {
  http::Response head;
  head.content_type = "text/plain";
  co_await out.begin(std::move(head));
  std::string bytes = "never for " + request.method;
  co_await out.write(std::move(bytes));
  co_await out.end();
}

constexpr std::size_t large = std::size_t{1} << 20U;

http::Router routes() {
  http::Router router;
  router.add("GET", "/echo", echo);
  router.add("POST", "/echo", echo, 1000);
  router.add("GET", "/stream", stream);
  http::Router::Route guarded;
  guarded.method = "POST";
  guarded.handler = echo;
  guarded.max_body = large;
  guarded.guard = [](const http::Request& head) -> std::optional<http::Response> {
    if (head.field("Authorization")) return std::nullopt;
    return http::problem(401, "who are you?");
  };
  router.add("/large", std::move(guarded));
  return router;
}

std::string raw(const RunningServer& server, const std::string& request) {
  HttpClient client{server.port()};
  client.send(request);
  return client.rest();
}

}  // namespace

TEST_CASE("HEAD is answered as GET without a body, streams too, and the connection goes on") {
  RunningServer server{routes()};
  const std::string head = " HTTP/1.1\r\nHost: h\r\n";
  const auto text = raw(server, "HEAD /echo" + head + "\r\nHEAD /stream" + head + "\r\nHEAD /none" + head +
                                    "\r\nGET /echo" + head + "Connection: close\r\n\r\n");
  std::size_t answers = 0;
  for (auto at = text.find("HTTP/1.1 "); at != std::string::npos; at = text.find("HTTP/1.1 ", at + 1))
    ++answers;
  CHECK(answers == 4);
  CHECK(text.find("never for") == std::string::npos);
  CHECK(text.find("404 Not Found") != std::string::npos);
  CHECK(text.find("Requested: HEAD") != std::string::npos);
}

TEST_CASE("OPTIONS names the methods of a path") {
  RunningServer server{routes()};
  HttpClient client{server.port()};
  const auto options = client.ask("OPTIONS", "/echo");
  CHECK(options.status == 204);
  CHECK(options.allow == "GET, HEAD, POST, OPTIONS");
  const auto wrong = client.ask("DELETE", "/echo");
  CHECK(wrong.status == 405);
  CHECK(wrong.allow == "GET, HEAD, POST, OPTIONS");
  CHECK(client.ask("OPTIONS", "/none").status == 404);
}

TEST_CASE("a large body is not read for those who may not send it") {
  RunningServer server{routes()};
  HttpClient stranger{server.port()};
  stranger.send("POST /large HTTP/1.1\r\nHost: h\r\nContent-Length: " + std::to_string(large) + "\r\n\r\n");
  CHECK(stranger.receive().status == 401);
  HttpClient chunked{server.port()};
  chunked.send("POST /large HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n");
  CHECK(chunked.receive().status == 401);
  HttpClient known{server.port()};
  const std::string body(large, 'x');
  CHECK(known.ask("POST", "/large", "token", body).body == body);
  CHECK(known.ask("POST", "/large", "token", body + "x").status == 413);
}

TEST_CASE("large bodies at one time are bounded in sum") {
  http::ServerSettings settings;
  settings.large_bodies = 2 * large;
  RunningServer server{routes(), settings};
  const auto begin = "POST /large HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer t\r\nContent-Length: " +
                     std::to_string(large) + "\r\n\r\n";
  const std::string body(large, 'x');
  HttpClient first{server.port()};
  HttpClient second{server.port()};
  first.send(begin);
  second.send(begin);
  usleep(50'000);
  HttpClient third{server.port()};
  third.send(begin);
  CHECK(third.receive().status == 503);
  first.send(body);
  CHECK(first.receive().status == 200);
  HttpClient fourth{server.port()};
  fourth.send(begin + body);
  CHECK(fourth.receive().status == 200);
}

TEST_CASE("connections that ask nothing make way for others, those that are answered do not") {
  http::ServerSettings settings;
  settings.max_connections = 3;
  RunningServer server{routes(), settings};
  HttpClient silent{server.port()};
  usleep(20'000);
  HttpClient dribbling{server.port()};
  dribbling.send("GET /echo HTTP/1.1\r\nHost:");
  usleep(20'000);
  HttpClient recent{server.port()};
  CHECK(recent.ask("GET", "/echo").status == 200);
  HttpClient one{server.port()};
  CHECK(one.ask("GET", "/echo").status == 200);
  CHECK(silent.closed());
  HttpClient two{server.port()};
  CHECK(two.ask("GET", "/echo").status == 200);
  CHECK(dribbling.closed());
  CHECK(recent.ask("GET", "/echo").status == 200);
}

TEST_CASE("requests whose end two readers could see in two places are refused") {
  RunningServer server{routes()};
  const std::string start = "POST /echo HTTP/1.1\r\nHost: h\r\n";
  for (const std::string rest : {
           "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
           "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n",
           "Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
           "Content-Length: +3\r\n\r\nabc",
           "Content-Length: 0x3\r\n\r\nabc",
           "Content-Length: 3, 4\r\n\r\nabcd",
           "Content-Length: 18446744073709551617\r\n\r\nabc",
           "Transfer-Encoding: chunked\r\n\r\n-1\r\nabc\r\n0\r\n\r\n",
           "Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\nabc\r\n0\r\n\r\n",
           "Transfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n0\r\n\r\n",
           "Transfer-Encoding: chunked\r\n\r\nxyz\r\n0\r\n\r\n",
           "Content-Length : 3\r\n\r\nabc",
           "Bad header\r\n\r\n",
           "X: a\r\n folded: b\rc\r\n\r\n",
       }) {
    CAPTURE(rest);
    const auto text = raw(server, start + rest);
    CHECK(text.substr(0, 12) != "HTTP/1.1 200");
    CHECK(text.find("HTTP/1.1 200") == std::string::npos);
  }
}

TEST_CASE("a chunked body cannot hide its size in extensions or trailers") {
  RunningServer server{routes()};
  const std::string start = "POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
  const auto extension = raw(server, start + "1;" + std::string(200'000, 'x') + "\r\na\r\n0\r\n\r\n");
  CHECK(extension.find("HTTP/1.1 200") == std::string::npos);
  const auto trailer = raw(server, start + "0\r\nX: " + std::string(200'000, 'x') + "\r\n\r\n");
  CHECK(trailer.find("HTTP/1.1 200") == std::string::npos);
}
