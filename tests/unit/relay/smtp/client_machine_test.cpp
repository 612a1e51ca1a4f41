#include <catch2/catch.hpp>

#include "relay/smtp/client_machine.hpp"

namespace relay::smtp {
namespace {

using Kind = ClientRecipientResult::Kind;

/// Plays the owner of a `ClientMachine` and the next hop.
struct ClientDialogue {
  explicit ClientDialogue(Protocol protocol = Protocol::lmtp) : machine{{protocol, "hub.example"}} {}

  /// Says `replies` as the next hop and gives what the machine writes until it waits, wants a body or is
  /// done.
  std::string hear(std::string_view replies) {
    machine.receive(replies);
    return run();
  }
  std::string run() {
    std::string written;
    while (true) {
      action = machine.next();
      if (!std::holds_alternative<ClientMachine::Send>(action)) return written;
      written += machine.take_output();
    }
  }
  template <class Wanted>
  bool is() const {
    return std::holds_alternative<Wanted>(action);
  }
  void connect(
      const std::string& extensions = "250-PIPELINING\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250 DSN\r\n") {
    run();
    hear("220 ready\r\n");
    hear("250-next.example\r\n" + extensions);
    REQUIRE(is<ClientMachine::Ready>());
  }
  std::string begin(std::size_t recipients) {
    ClientTransaction transaction;
    transaction.sender = "s@example.test";
    for (std::size_t i = 0; i < recipients; ++i) {
      transaction.recipients.push_back({"r" + std::to_string(i) + "@example.test", "", 0});
    }
    machine.begin(transaction);
    return run();
  }
  std::string give(const std::string& body) {
    machine.body(body);
    machine.body_end();
    return run();
  }
  std::vector<Kind> kinds() const {
    std::vector<Kind> all;
    for (const auto& result : machine.results())
      all.push_back(result.kind);
    return all;
  }

  ClientMachine machine;
  ClientMachine::Action action;
};

}  // namespace

TEST_CASE("with PIPELINING the envelope and DATA go out in one write") {
  ClientDialogue dialogue;
  dialogue.connect();
  CHECK(dialogue.begin(2) ==
        "MAIL FROM:<s@example.test>\r\nRCPT TO:<r0@example.test>\r\nRCPT TO:<r1@example.test>\r\nDATA\r\n");
  dialogue.hear("250 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n");
  REQUIRE(dialogue.is<ClientMachine::NeedBody>());
  CHECK(dialogue.give(".a\r\n") == "..a\r\n.\r\n");
  dialogue.hear("250 2.0.0 one\r\n550 5.2.1 two\r\n");
  REQUIRE(dialogue.is<ClientMachine::TransactionDone>());
  CHECK(dialogue.kinds() == std::vector<Kind>{Kind::delivered, Kind::refused});
  dialogue.run();
  CHECK(dialogue.is<ClientMachine::Ready>());
}

}  // namespace relay::smtp
