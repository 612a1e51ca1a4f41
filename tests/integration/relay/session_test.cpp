#include "relay/server/session.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>
#include <catch2/catch.hpp>
#include <future>
#include <thread>

#include "tests/integration/recovery/fake_store.hpp"

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

/// Knows everybody.
class OpenDirectory : public relay::ReadyDirectory {
  relay::Lookup look_up(std::string_view address) const override {
    return std::vector<relay::Resolved>{
        {std::string{address}, std::string{address}, "", dumpster::StorageGroup{"ccr1", "sg1"}}};
  }
};

/// One session on loopback, and its client, which reads and writes without waiting for anybody else.
class OneSession {
 public:
  /// `waiting`: so many messages wait for where everybody's mail goes.
  explicit OneSession(std::chrono::milliseconds command_limit, std::uint64_t max_message_size = 36ULL << 20,
                      std::size_t waiting = 0) {
    auto slowdowns = std::make_shared<relay::Slowdowns>();
    slowdowns->add(relay::ClusterDestination{"ccr1"}, waiting);
    server_.slowdowns = [slowdowns] { return slowdowns; };
    settings_.max_message_size = max_message_size;
    server_.accepted = [](const auto&, const auto&) {};
    settings_.hub_name = "hub";
    settings_.listeners.emplace_back();
    settings_.command_limit = command_limit;
    asio::ip::tcp::acceptor acceptor{context_, {asio::ip::make_address("127.0.0.1"), 0}};
    client_.connect(acceptor.local_endpoint());
    auto connection = std::make_shared<relay::Connection>(acceptor.accept());
    auto session = std::make_shared<relay::Session>(std::move(connection), 0, server_);
    auto run = [session]() -> asio::awaitable<void> {
      const auto kept = session;
      co_await kept->run();
    };
    asio::co_spawn(context_, std::move(run), asio::detached);
    thread_ = std::thread([this] { context_.run(); });
    CHECK(line() == "220 hub ESMTP");
  }
  ~OneSession() {
    context_.stop();
    thread_.join();
  }

  /// False when the other side has gone.
  bool send(const std::string& bytes) {
    boost::system::error_code error;
    asio::write(client_, asio::buffer(bytes), error);
    return !error;
  }
  /// The next line, or an empty one at the end.
  std::string line() {
    boost::system::error_code error;
    const auto size = asio::read_until(client_, asio::dynamic_buffer(read_), "\r\n", error);
    if (error) return {};
    const auto text = read_.substr(0, size - 2);
    read_.erase(0, size);
    return text;
  }
  std::string say(const std::string& command) {
    send(command + "\r\n");
    return line();
  }
  /// Sends `piece` again and again until the session has ended; gives how long that took.
  std::chrono::steady_clock::duration drip(const std::string& piece, std::chrono::milliseconds pause) {
    const auto begun = std::chrono::steady_clock::now();
    auto last = std::async(std::launch::async, [this] { return line(); });
    while (last.wait_for(pause) != std::future_status::ready &&
           std::chrono::steady_clock::now() - begun < 20s)
      send(piece);
    CHECK(last.get() == "421 4.4.2 hub nothing heard for too long");
    return std::chrono::steady_clock::now() - begun;
  }

 private:
  recovery::FakeStore store_;
  metrics::HubMetrics metrics_;
  relay::ServerSettings settings_;
  std::shared_ptr<const relay::Directory> directory_ = std::make_shared<OpenDirectory>();
  relay::ServerContext server_{store_, [this] { return directory_; }, metrics_, dumpster::system_clock(),
                               [this] { return std::make_shared<const relay::ServerSettings>(settings_); }};
  asio::io_context context_{1};
  asio::io_context of_client_;
  asio::ip::tcp::socket client_{of_client_};
  std::string read_;
  std::thread thread_;
};

}  // namespace

TEST_CASE("a client that says nothing is told so and left") {
  OneSession session{100ms};
  CHECK(session.line() == "421 4.4.2 hub nothing heard for too long");
  CHECK(session.line().empty());
}

TEST_CASE("a client that sends a command byte by byte has the time of one command for it") {
  OneSession session{500ms};
  CHECK(session.drip("N", 50ms) < 5s);
}

TEST_CASE("a message that drips has the time of one command for each KiB") {
  OneSession session{500ms};
  session.say("HELO client.example");
  session.say("MAIL FROM:<a@example.test>");
  session.say("RCPT TO:<b@example.test>");
  CHECK(session.say("DATA").substr(0, 3) == "354");
  CHECK(session.drip("x", 50ms) < 5s);
}

TEST_CASE("a message that is slow but comes on takes longer than a command may, one that is refused, too") {
  const auto size = GENERATE(36ULL << 20, 2000ULL);
  OneSession session{500ms, size};
  session.say("HELO client.example");
  session.say("MAIL FROM:<a@example.test>");
  session.say("RCPT TO:<b@example.test>");
  session.say("DATA");
  for (int i = 0; i < 8; ++i) {
    std::this_thread::sleep_for(100ms);
    REQUIRE(session.send(std::string(1100, 'x') + "\r\n"));
  }
  CHECK(session.say(".").substr(0, 9) == (size == 2000 ? "552 5.3.4" : "250 2.0.0"));
}

TEST_CASE("a message for a destination that falls behind is kept waiting before it is taken") {
  OneSession session{5s, 36ULL << 20, relay::Slowdowns::untroubled * 6 / 5};
  session.say("HELO client.example");
  session.say("MAIL FROM:<a@example.test>");
  session.say("RCPT TO:<b@example.test>");
  const auto begun = std::chrono::steady_clock::now();
  CHECK(session.say("DATA").substr(0, 3) == "354");
  CHECK(std::chrono::steady_clock::now() - begun >= 200ms);
  CHECK(session.say("text\r\n.").substr(0, 9) == "250 2.0.0");
}
