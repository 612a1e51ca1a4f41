#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <catch2/catch.hpp>

#include "relay/net/resolver.hpp"
#include "tests/integration/relay/name_server.hpp"

namespace asio = boost::asio;
using namespace std::chrono_literals;
using relay::HostAddresses;
using relay::Resolver;
using Answer = NameServer::Answer;

namespace {

std::map<std::string, NameServer::Host> known_hosts() {
  std::map<std::string, NameServer::Host> hosts;
  hosts["both.example.test"] = {
      Answer::success, {"192.0.2.1", "192.0.2.2"}, {"2001:db8::1"}, Answer::success};
  hosts["four.example.test"] = {Answer::success, {"192.0.2.3"}, {}, Answer::success};
  hosts["half.example.test"] = {Answer::success, {"192.0.2.4"}, {}, Answer::server_failure};
  hosts["empty.example.test"] = {Answer::success, {}, {}, Answer::success};
  hosts["sick.example.test"] = {Answer::server_failure, {}, {}, Answer::server_failure};
  hosts["silent.example.test"] = {Answer::silence, {}, {}, Answer::silence};
  hosts["many.example.test"] = {};
  for (int i = 1; i < 25; ++i)
    hosts["many.example.test"].ipv4.push_back("192.0.2." + std::to_string(i));
  return hosts;
}

asio::awaitable<HostAddresses> ask(Resolver& resolver, std::string host, std::chrono::milliseconds limit) {
  const auto lookup = resolver.look_up(host);
  auto result = co_await lookup->wait(limit);
  co_return result;
}

struct Asking {
  NameServer server{known_hosts()};
  asio::io_context context{1};
  Resolver resolver{context, server.address()};

  HostAddresses operator()(const std::string& host, std::chrono::milliseconds limit = 20s) {
    HostAddresses result;
    asio::co_spawn(context, ask(resolver, host, limit), [&](std::exception_ptr, HostAddresses found) {
      result = std::move(found);
      context.stop();
    });
    context.run();
    context.restart();
    return result;
  }
  std::vector<std::string> texts(const std::string& host) {
    std::vector<std::string> all;
    for (const auto& address : (*this)(host).found)
      all.push_back(address.to_string());
    std::sort(all.begin(), all.end());
    return all;
  }
};

}  // namespace

TEST_CASE("a host name has the addresses of both families") {
  Asking asking;
  CHECK(asking.texts("both.example.test") ==
        std::vector<std::string>{"192.0.2.1", "192.0.2.2", "2001:db8::1"});
  CHECK(asking.texts("four.example.test") == std::vector<std::string>{"192.0.2.3"});
  CHECK(asking("four.example.test").fault.empty());
}

TEST_CASE("a failure of one family does not hide the addresses of the other") {
  Asking asking;
  CHECK(asking.texts("half.example.test") == std::vector<std::string>{"192.0.2.4"});
}

TEST_CASE("a host that does not exist is told from one that could not be asked for") {
  Asking asking;
  for (const auto* host : {"nobody.example.test", "empty.example.test"}) {
    INFO(host);
    const auto gone = asking(host);
    CHECK(gone.found.empty());
    CHECK_FALSE(gone.fault.empty());
    CHECK(gone.no_such_host);
  }
  const auto sick = asking("sick.example.test");
  CHECK_FALSE(sick.fault.empty());
  CHECK_FALSE(sick.no_such_host);
}

TEST_CASE("a server that says nothing ends the wait at its limit, and others are answered meanwhile") {
  Asking asking;
  const auto before = std::chrono::steady_clock::now();
  const auto silent = asking("silent.example.test", 200ms);
  CHECK(silent.fault == "no answer in time");
  CHECK_FALSE(silent.no_such_host);
  CHECK(asking.texts("four.example.test").size() == 1);
  CHECK(std::chrono::steady_clock::now() - before < 10s);
}

TEST_CASE("a look-up that is cancelled ends at once, and one under way may be left behind") {
  asio::io_context context{1};
  NameServer server{known_hosts()};
  HostAddresses result;
  {
    Resolver resolver{context, server.address()};
    const auto lookup = resolver.look_up("silent.example.test");
    const auto left_behind = resolver.look_up("silent.example.test");
    asio::co_spawn(context, lookup->wait(20s), [&](std::exception_ptr, HostAddresses found) {
      result = std::move(found);
      context.stop();
    });
    lookup->cancel();
    context.run();
  }
  CHECK(result.fault == "broken off");
}

TEST_CASE("of very many addresses sixteen are enough") {
  Asking asking;
  CHECK(asking.texts("many.example.test").size() == 16);
}

TEST_CASE("names of /etc/hosts need no server") {
  Asking asking;
  CHECK_FALSE(asking("localhost").found.empty());
  CHECK(asking.server.questions() == 0);
}

TEST_CASE("an io_context goes with its resolver, whatever is still being asked") {
  auto context = std::make_unique<asio::io_context>(1);
  const auto lookup = relay::resolver_of(*context).look_up("left-behind.example.test");
  context->poll();
  context.reset();
  SUCCEED();
}
