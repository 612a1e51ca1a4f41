#include <catch2/catch.hpp>
#include <random>

#include "client_dialogue.hpp"

namespace relay::smtp {
namespace {

/// Replies, right and wrong ones, so that random next hops get past the greeting.
std::string random_replies(std::mt19937& random) {
  static const std::vector<std::string> pieces{"220 ready\r\n",
                                               "250 ok\r\n",
                                               "250-next\r\n",
                                               "250-PIPELINING\r\n250-CHUNKING\r\n250 DSN\r\n",
                                               "250-STARTTLS\r\n",
                                               "250-AUTH PLAIN LOGIN\r\n",
                                               "250 SIZE 100\r\n",
                                               "354 go\r\n",
                                               "334 VXNlcm5hbWU6\r\n",
                                               "235 2.7.0 welcome\r\n",
                                               "421 4.3.2 bye\r\n",
                                               "451 4.3.0 later\r\n",
                                               "550 5.1.1 no\r\n",
                                               "502 what\r\n",
                                               "552 too many\r\n",
                                               "250 ",
                                               "\r\n",
                                               "\n",
                                               "2",
                                               "250-\r\n250\r\n",
                                               "999 no\r\n",
                                               "\xff\xfe"};
  switch (random() % 12) {
    case 0: {
      std::string bytes(random() % 40, '\0');
      for (auto& byte : bytes)
        byte = static_cast<char>(random() % 256);
      return bytes;
    }
    case 1:
    case 2:
    case 3:
    case 4:
    case 5:
      return pieces[1];
    default:
      return pieces[random() % pieces.size()];
  }
}

/// One connection with a next hop that says anything, and what must hold whatever that is.
class RandomConnection {
 public:
  explicit RandomConnection(std::mt19937& random)
      : random_(random), settings_(settings(random)), machine_(settings_) {}

  void play() {
    for (int step = 0; step < 300 && !failed_; ++step) {
      const auto action = machine_.next();
      if (std::holds_alternative<ClientMachine::Send>(action)) check_output(machine_.take_output());
      if (std::holds_alternative<ClientMachine::NeedInput>(action)) hear();
      if (std::holds_alternative<ClientMachine::StartTls>(action)) secure();
      if (std::holds_alternative<ClientMachine::NeedBody>(action)) give_body();
      if (std::holds_alternative<ClientMachine::Ready>(action)) begin();
      if (std::holds_alternative<ClientMachine::TransactionDone>(action)) check_results();
      if (std::holds_alternative<ClientMachine::Failed>(action)) {
        failed_ = true;
        check_results();
      }
    }
  }

 private:
  static ClientSettings settings(std::mt19937& random) {
    ClientSettings made;
    made.protocol = random() % 2 == 0 ? Protocol::smtp : Protocol::lmtp;
    made.hub_name = "hub.example";
    made.start_tls = static_cast<ClientSettings::StartTls>(random() % 3);
    if (random() % 2 == 0) made.credentials = Credentials{"user", "secret"};
    made.chunking = random() % 2 == 0;
    return made;
  }

  void check_output(const std::string& output) {
    REQUIRE_FALSE(output.empty());
    if (under_tls_) return;
    CHECK(output.find("AUTH") == std::string::npos);
    if (settings_.start_tls == ClientSettings::StartTls::required || settings_.credentials)
      CHECK(output.find("MAIL") == std::string::npos);
  }
  void hear() {
    if (random_() % 60 == 0) return machine_.disconnected("gone");
    machine_.receive(random_replies(random_));
  }
  void secure() {
    if (random_() % 10 == 0) return machine_.disconnected("no TLS");
    under_tls_ = true;
    machine_.secured(random_() % 2 == 0);
  }
  void give_body() {
    machine_.body("line\r\n");
    if (random_() % 3 != 0) return;
    // What was heard by now may have ended the transaction: then this says nothing.
    machine_.body_end();
    body_ended_ = true;
  }
  void begin() {
    body_ended_ = false;
    recipients_ = 1 + random_() % 4;
    machine_.begin(ClientDialogue::transaction(recipients_));
  }
  void check_results() {
    REQUIRE(machine_.results().size() == recipients_);
    for (const auto& result : machine_.results()) {
      const auto code = result.reply.code;
      CHECK(result.reply.text.size() <= 1003);
      if (result.kind == Kind::delivered) CHECK((body_ended_ && code >= 200 && code < 300));
      if (result.kind == Kind::refused) CHECK((code >= 500 && code < 600));
      if (result.kind == Kind::deferred) CHECK((code >= 400 && code < 500));
      if (result.kind == Kind::unknown) CHECK(body_ended_);
    }
  }

  std::mt19937& random_;
  ClientSettings settings_;
  ClientMachine machine_;
  std::size_t recipients_ = 0;
  bool under_tls_ = false;
  bool body_ended_ = false;
  bool failed_ = false;
};

}  // namespace

TEST_CASE(
    "whatever a next hop says, nothing is delivered without its word and nothing secret is said in the "
    "open") {
  for (unsigned seed = 1; seed <= 4000; ++seed) {
    INFO("seed " << seed);
    std::mt19937 random{seed};
    RandomConnection connection{random};
    connection.play();
  }
}

}  // namespace relay::smtp
