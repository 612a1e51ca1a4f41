#include "tests/integration/relay/hop_client.hpp"
#include "tests/integration/relay/scripted_hop.hpp"

namespace {

using namespace std::chrono_literals;
using Kind = relay::smtp::ClientRecipientResult::Kind;

const std::string body = "Subject: x\r\n\r\ntext\r\n";

std::string url_of(const ScriptedHop& hop, const std::string& protocol = "lmtp") {
  return protocol + "://127.0.0.1:" + std::to_string(hop.port());
}

relay::NextHopPolicy impatient() {
  auto policy = open_policy();
  policy.patience.greeting = policy.patience.command = policy.patience.data_end = 300ms;
  return policy;
}

void welcome(HopConnection& hop, const std::string& extensions = "250 PIPELINING\r\n") {
  hop.say("220 next\r\n");
  hop.hear();
  hop.say("250-next\r\n" + extensions);
}

/// Says `text` an octet at a time until the other side has gone.
void drip(HopConnection& hop, const std::string& text) {
  for (std::size_t at = 0; !hop.ended(); at = (at + 1) % text.size()) {
    hop.say(text.substr(at, 1));
    std::this_thread::sleep_for(5ms);
  }
}

}  // namespace

TEST_CASE("a greeting without end is given up after 64 KiB, with and without lines") {
  for (const std::string piece : {"220-welcome to a very talkative host\r\n", "220 no line ends here "}) {
    ScriptedHop hop{[&](HopConnection& connection) {
      while (!connection.ended())
        connection.say(piece);
    }};
    HopClient client{url_of(hop), open_policy()};
    const auto failure = client.open();
    CHECK(failure.find("malformed reply") != std::string::npos);
    CHECK(failure.size() < 200);
  }
}

TEST_CASE("a reply that drips in is late, however busily it drips") {
  ScriptedHop greeting{[](HopConnection& hop) { drip(hop, "220-a\r\n"); }};
  HopClient client{url_of(greeting), impatient()};
  CHECK(client.open().find("no answer in time") != std::string::npos);
  ScriptedHop behind_data{[](HopConnection& hop) {
    welcome(hop);
    for (int i = 0; i < 3; ++i)
      hop.hear();
    hop.say("250 ok\r\n250 ok\r\n354 go\r\n");
    hop.hear_data();
    drip(hop, "250-a\r\n");
  }};
  HopClient sender{url_of(behind_data), impatient()};
  CHECK(sender.open().empty());
  const auto end = sender.send(body);
  CHECK(end.results.at(0).kind == Kind::unknown);
  CHECK_FALSE(end.reusable);
}

TEST_CASE("many replies that come one just in time each are bounded together") {
  ScriptedHop hop{[](HopConnection& connection) {
    welcome(connection);
    while (!connection.ended()) {
      connection.say("250 ok\r\n");
      std::this_thread::sleep_for(20ms);
    }
  }};
  auto policy = open_policy();
  policy.patience.replies = 300ms;
  policy.patience.each_recipient = 0ms;
  HopClient client{url_of(hop), policy};
  CHECK(client.open().empty());
  auto transaction = HopClient::one_recipient();
  transaction.recipients.assign(90, transaction.recipients.front());
  const auto end = client.send(body, transaction);
  CHECK(end.results.size() == 90);
  CHECK(end.results.back().kind == Kind::deferred);
}

TEST_CASE("a count of replies that is wrong fails the connection and delivers nothing") {
  ScriptedHop hop{[](HopConnection& connection) {
    welcome(connection);
    for (int i = 0; i < 3; ++i)
      connection.hear();
    connection.say("250 ok\r\n250 ok\r\n354 go\r\n");
    connection.hear_data();
    connection.say("250 one\r\n250 two\r\n");
  }};
  HopClient client{url_of(hop), open_policy()};
  CHECK(client.open().empty());
  const auto end = client.send(body);
  CHECK(end.results.at(0).kind == Kind::unknown);
  CHECK_FALSE(end.reusable);
}

TEST_CASE("a next hop that hangs up on a kept connection has not answered") {
  ScriptedHop hop{[](HopConnection& connection) {
    welcome(connection);
    for (int i = 0; i < 3; ++i)
      connection.hear();
    connection.say("421 4.4.2 idle for too long\r\n");
  }};
  HopClient client{url_of(hop), open_policy()};
  CHECK(client.open().empty());
  const auto end = client.send(body);
  CHECK_FALSE(end.answered);
  CHECK_FALSE(end.reusable);
  CHECK(end.results.at(0).kind == Kind::deferred);
}

TEST_CASE("where CHUNKING is offered the body goes out with BDAT, its dots as they are") {
  std::string received;
  ScriptedHop hop{[&](HopConnection& connection) {
    welcome(connection, "250-CHUNKING\r\n250 PIPELINING\r\n");
    connection.hear();
    connection.hear();
    connection.say("250 ok\r\n250 ok\r\n");
    for (auto line = connection.hear(); line.starts_with("BDAT"); line = connection.hear()) {
      received += connection.hear_octets(std::stoul(line.substr(5)));
      connection.say("250 ok\r\n");
      if (line.ends_with("LAST")) return;
    }
  }};
  HopClient client{url_of(hop), open_policy()};
  CHECK(client.open().empty());
  const auto end = client.send(".dots stay as they are\r\n..\r\n");
  CHECK(end.results.at(0).kind == Kind::delivered);
  CHECK(received == ".dots stay as they are\r\n..\r\n");
}

TEST_CASE("a name whose first address does not answer is reached at the next") {
  ScriptedHop hop{[](HopConnection& connection) { welcome(connection); }};  // on 127.0.0.1 alone
  HopClient client{"lmtp://localhost:" + std::to_string(hop.port()), open_policy()};
  CHECK(client.open().empty());
}

TEST_CASE("a host that does not exist is a temporary failure that says so") {
  HopClient client{"lmtp://no-such-host.invalid", open_policy()};
  const auto failure = client.open();
  CHECK(failure.substr(0, 7) == "451 4.4");
  CHECK(failure.find("cannot look up no-such-host.invalid") != std::string::npos);
}

TEST_CASE("a session that is cut ends at once, wherever it is") {
  ScriptedHop silent{[](HopConnection& connection) { connection.hear(); }};
  for (const auto& url : {url_of(silent), std::string{"lmtp://never-answered.invalid"}}) {
    HopClient client{url, open_policy()};
    boost::asio::steady_timer soon{client.context(), 50ms};
    soon.async_wait([&](boost::system::error_code) { client.session().cut(); });
    const auto before = std::chrono::steady_clock::now();
    CHECK_FALSE(client.open().empty());
    CHECK(std::chrono::steady_clock::now() - before < 5s);
  }
}
