#pragma once

#include <catch2/catch.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "relay/smtp/client_machine.hpp"

namespace relay::smtp {

using Kind = ClientRecipientResult::Kind;

/// Plays the owner of a `ClientMachine` and the next hop.
struct ClientDialogue {
  explicit ClientDialogue(Protocol protocol = Protocol::lmtp)
      : ClientDialogue(ClientSettings{protocol, "hub.example", {}, {}, true}) {}
  explicit ClientDialogue(ClientSettings settings) : machine{std::move(settings)} {}

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
  static ClientTransaction transaction(std::size_t recipients) {
    ClientTransaction made;
    made.sender = "s@example.test";
    for (std::size_t i = 0; i < recipients; ++i) {
      made.recipients.push_back({"r" + std::to_string(i) + "@example.test", "", 0});
    }
    return made;
  }
  std::string begin(std::size_t recipients) { return begin(transaction(recipients)); }
  std::string begin(const ClientTransaction& given) {
    machine.begin(given);
    return run();
  }
  std::string give(const std::string& body) {
    machine.body(body);
    machine.body_end();
    return run();
  }
  /// The reply of a recipient as `code enhanced`.
  std::string reply(std::size_t recipient) const {
    const auto& words = machine.results().at(recipient).reply;
    return std::to_string(words.code) + ' ' + words.enhanced;
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

}  // namespace relay::smtp
