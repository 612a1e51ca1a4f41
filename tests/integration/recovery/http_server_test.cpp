#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

#include "tests/integration/recovery/http_client.hpp"
#include "tests/integration/recovery/running_server.hpp"

using recovery::HttpClient;
using recovery::RunningServer;
namespace asio = boost::asio;
namespace http = recovery::http;

namespace {

asio::awaitable<void> echo(http::Request request, http::Responder& out) {
  http::Response response;
  response.content_type = "text/plain";
  response.body = request.body;
  co_await out.send(std::move(response));
}

asio::awaitable<void> fail(http::Request request, http::Responder& out) {
  http::Response head;
  head.content_type = "text/plain";
  if (request.parameter("when") == "late") {
    co_await out.begin(std::move(head));
    std::string some = "half";
    co_await out.write(std::move(some));
  }
  throw std::runtime_error("the secret reason");
}

asio::awaitable<void> endless(http::Request request, http::Responder& out, std::size_t& written) {
  http::Response head;
  head.content_type = "text/plain";
  co_await out.begin(std::move(head));
  while (request.body.empty()) {
    std::string block(64 * 1024, 'x');
    co_await out.write(std::move(block));
    written += 64 * 1024;
  }
}

asio::awaitable<void> slow(http::Request request, http::Responder& out) {
  const auto executor = co_await asio::this_coro::executor;
  asio::steady_timer timer{executor};
  timer.expires_after(std::chrono::milliseconds{200});
  co_await timer.async_wait(asio::use_awaitable);
  http::Response response;
  response.body = request.method;
  co_await out.send(std::move(response));
}

http::Router routes() {
  http::Router router;
  router.add("POST", "/echo", echo, 1000);
  router.add("GET", "/fail/{when}", fail);
  router.add("GET", "/slow", slow);
  return router;
}

http::ServerSettings short_deadlines() {
  http::ServerSettings settings;
  settings.idle = std::chrono::milliseconds{300};
  settings.reading = std::chrono::milliseconds{300};
  settings.writing = std::chrono::milliseconds{300};
  return settings;
}

}  // namespace

TEST_CASE("requests on one connection are answered one after the other, pipelined ones too") {
  RunningServer server{routes()};
  HttpClient client{server.port()};
  CHECK(client.ask("POST", "/echo", {}, "one").body == "one");
  client.send(
      "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\ntwo"
      "POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nthree\r\n0\r\n\r\n");
  CHECK(client.receive().body == "two");
  const auto three = client.receive();
  CHECK(three.body == "three");
  CHECK(three.keep_alive);
}

TEST_CASE("a header that is too large is answered with 431") {
  RunningServer server{routes()};
  HttpClient client{server.port()};
  client.send("POST /echo HTTP/1.1\r\nHost: h\r\nX: " + std::string(20'000, 'x') + "\r\n\r\n");
  const auto answer = client.receive();
  CHECK(answer.status == 431);
  CHECK(answer.content_type == "application/problem+json");
  CHECK(client.closed());
}

TEST_CASE("a body that is too large is answered with 413, declared or not") {
  RunningServer server{routes()};
  HttpClient declared{server.port()};
  CHECK(declared.ask("POST", "/echo", {}, std::string(1001, 'x')).status == 413);
  CHECK(declared.closed());
  HttpClient chunked{server.port()};
  chunked.send("POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n7d0\r\n" +
               std::string(2000, 'x') + "\r\n0\r\n\r\n");
  CHECK(chunked.receive().status == 413);
  HttpClient expecting{server.port()};
  expecting.send("POST /echo HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 99999\r\n\r\n");
  CHECK(expecting.receive().status == 413);
}

TEST_CASE("a client that asks whether to go on is told to") {
  RunningServer server{routes()};
  HttpClient client{server.port()};
  client.send("POST /echo HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n");
  CHECK(client.receive().status == 100);
  client.send("yes");
  CHECK(client.receive().body == "yes");
}

TEST_CASE("what is not HTTP/1.1 is answered with 400") {
  RunningServer server{routes()};
  const char* request =
      GENERATE("NONSENSE\r\n\r\n", "GET /slow HTTP/2.0\r\nHost: h\r\n\r\n", "GET /slow HTTP/1.1\r\n\r\n",
               "GET /slow HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "GET slow HTTP/1.1\r\nHost: h\r\n\r\n",
               "GET /slow HTTP/1.1\r\nHost: h\r\nBroken field\r\n\r\n",
               "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx",
               "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: x\r\n\r\n");
  CAPTURE(request);
  HttpClient client{server.port()};
  client.send(request);
  CHECK(client.receive().status == 400);
}

TEST_CASE("unknown paths are 404, other methods 405 with what is allowed, broken encoding 400") {
  RunningServer server{routes()};
  HttpClient client{server.port()};
  CHECK(client.ask("GET", "/nothing").status == 404);
  const auto other = client.ask("DELETE", "/echo");
  CHECK(other.status == 405);
  CHECK(other.allow == "POST, OPTIONS");
  CHECK(client.ask("GET", "/fail/%zz").status == 400);
  CHECK(client.ask("GET", "/slow?x=%0").status == 400);
}

TEST_CASE("a client that sends a byte at a time is cut at the deadline of the request") {
  RunningServer server{routes(), short_deadlines()};
  HttpClient client{server.port()};
  const auto begin = std::chrono::steady_clock::now();
  const std::string request = "GET /slow HTTP/1.1\r\nHost: " + std::string(10'000, 'h');
  bool cut = false;
  for (std::size_t i = 0; i < request.size() && !cut; ++i) {
    try {
      client.send({&request[i], 1});
    } catch (const boost::system::system_error&) {
      cut = true;
    }
    if (std::chrono::steady_clock::now() - begin > std::chrono::seconds{10}) break;
    usleep(10'000);
  }
  CHECK(cut);
}

TEST_CASE("a request that stops half way is answered with 408, an idle connection is closed without a word") {
  RunningServer server{routes(), short_deadlines()};
  HttpClient half{server.port()};
  half.send("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nhalf");
  CHECK(half.receive().status == 408);
  CHECK(half.closed());
  HttpClient idle{server.port()};
  CHECK(idle.closed());
}

TEST_CASE("a handler that throws gives 500 without details, or a stream that is visibly cut") {
  RunningServer server{routes()};
  HttpClient early{server.port()};
  const auto answer = early.ask("GET", "/fail/early");
  CHECK(answer.status == 500);
  CHECK(answer.body.find("secret") == std::string::npos);
  CHECK(early.ask("POST", "/echo", {}, "goes on").body == "goes on");
  HttpClient late{server.port()};
  CHECK_THROWS(late.ask("GET", "/fail/late"));
}

TEST_CASE("a client that does not read holds its handler back and is cut") {
  std::size_t written = 0;
  http::Router router;
  router.add("GET", "/endless", [&written](http::Request request, http::Responder& out) {
    return endless(std::move(request), out, written);
  });
  router.add("POST", "/echo", echo, 1000);
  {
    RunningServer server{std::move(router), short_deadlines()};
    HttpClient lazy{server.port()};
    lazy.send("GET /endless HTTP/1.1\r\nHost: h\r\n\r\n");
    HttpClient other{server.port()};
    CHECK(other.ask("POST", "/echo", {}, "served").body == "served");
    usleep(700'000);  // past the deadline of a write
    CHECK(HttpClient{server.port()}.ask("POST", "/echo", {}, "alive").body == "alive");
  }
  CHECK(written > 0);
  CHECK(written < std::size_t{64} << 20U);
}

TEST_CASE("connections beyond the limit are closed while all others are being answered") {
  http::ServerSettings settings;
  settings.max_connections = 2;
  RunningServer server{routes(), settings};
  HttpClient first{server.port()};
  HttpClient second{server.port()};
  first.send("GET /slow HTTP/1.1\r\nHost: h\r\n\r\n");
  second.send("GET /slow HTTP/1.1\r\nHost: h\r\n\r\n");
  usleep(50'000);
  HttpClient third{server.port()};
  CHECK(third.closed());
  CHECK(first.receive().status == 200);
  CHECK(second.receive().status == 200);
}

TEST_CASE("a stop lets the request under way end and closes idle connections") {
  RunningServer server{routes()};
  HttpClient idle{server.port()};
  CHECK(idle.ask("POST", "/echo", {}, "x").status == 200);
  HttpClient busy{server.port()};
  busy.send("GET /slow HTTP/1.1\r\nHost: h\r\n\r\n");
  usleep(50'000);
  server.stop(std::chrono::seconds{5});
  const auto answer = busy.receive();
  CHECK(answer.status == 200);
  CHECK_FALSE(answer.keep_alive);
  CHECK(busy.closed());
  CHECK(idle.closed());
  CHECK_THROWS(HttpClient{server.port()});
}

TEST_CASE("a socket file is private, replaces a stale one and never a living one") {
  const auto folder = std::filesystem::temp_directory_path() / ("http-" + std::to_string(::getpid()));
  std::filesystem::create_directory(folder);
  const auto path = folder / "admin.sock";
  asio::io_context context{1};
  auto router = std::make_shared<const http::Router>(routes());
  {
    // What a killed server leaves behind.
    asio::local::stream_protocol::acceptor stale{context,
                                                 asio::local::stream_protocol::endpoint{path.string()}};
  }
  {
    http::Server server{context.get_executor(), router};
    REQUIRE(server.listen_unix(path).has_value());
    struct stat status {};
    REQUIRE(::stat(path.c_str(), &status) == 0);
    CHECK((status.st_mode & 0777U) == 0600U);
    http::Server second{context.get_executor(), router};
    const auto refused = second.listen_unix(path);
    REQUIRE(refused.has_error());
    CHECK(refused.error().detail.find("another server answers there") != std::string::npos);
  }
  CHECK_FALSE(std::filesystem::exists(path));
  std::ofstream{path} << "precious";
  http::Server third{context.get_executor(), router};
  CHECK(third.listen_unix(path).has_error());
  CHECK(std::filesystem::file_size(path) == 8);
  std::filesystem::remove_all(folder);
}

TEST_CASE("an address that is none is refused with its reason") {
  asio::io_context context{1};
  http::Server server{context.get_executor(), std::make_shared<const http::Router>(routes())};
  const char* address =
      GENERATE("", "127.0.0.1", "127.0.0.1:", "127.0.0.1:70000", "127.0.0.1:x", "::1:80", "host:80");
  CAPTURE(address);
  const auto result = server.listen_tcp(address);
  REQUIRE(result.has_error());
  CHECK(result.error().fault == dumpster::Fault::invalid);
}
