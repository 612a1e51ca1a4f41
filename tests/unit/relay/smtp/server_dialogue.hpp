#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "relay/smtp/server_machine.hpp"

namespace relay::smtp {

/// Plays the owner of a `ServerMachine`: answers what it asks and keeps what it gives.
class ServerDialogue {
 public:
  explicit ServerDialogue(ServerSettings settings = {}) : machine{with_name(std::move(settings))} {
    machine.greet({220, {}, "hub.example ESMTP"});
    output += machine.take_output();
  }

  /// Gives `bytes` in pieces of `piece` bytes and does what the machine asks. Gives what the machine wrote
  /// meanwhile.
  std::string say(std::string_view bytes, std::size_t piece = 65536) {
    std::string written;
    for (std::size_t at = 0; at < bytes.size(); at += piece) {
      // A copy of exact size, so that a sanitizer sees every read beyond it.
      const std::vector<char> buffer(
          bytes.begin() + static_cast<std::ptrdiff_t>(at),
          bytes.begin() + static_cast<std::ptrdiff_t>(std::min(at + piece, bytes.size())));
      machine.receive({buffer.data(), buffer.size()});
      run();
      const auto now = machine.take_output();
      written += now;
    }
    output += written;
    return written;
  }

  std::string greet() { return say("EHLO client.example\r\n"); }
  std::string greet_lmtp() { return say("LHLO client.example\r\n"); }

  struct Accepted {
    dumpster::Envelope envelope;
    std::string body;
    std::string transmission_type;
    std::uint64_t declared_size = 0;
  };

  ServerMachine machine;
  std::string output;                  ///< all that was written
  std::vector<Accepted> accepted;      ///< at `EndMessage`
  std::vector<std::string> dropped;    ///< reasons
  std::vector<std::string> refused;    ///< reasons
  std::vector<std::string_view> runs;  ///< sizes of the `BodyBytes` are of interest, not their bytes
  std::uint64_t body_bytes = 0;
  bool closed = false;
  std::size_t handshakes = 0;                                  ///< each succeeds at once
  std::vector<std::pair<std::string, std::string>> passwords;  ///< asked about
  Reply on_password{235, "2.7.0", "welcome"};
  std::function<Reply(const std::string&)> on_sender = [](const std::string&) {
    return Reply{250, "2.1.0", "OK"};
  };
  std::function<Reply(const RecipientCommand&)> on_recipient = [](const RecipientCommand&) {
    return Reply{250, "2.1.5", "OK"};
  };
  std::function<Reply()> on_begin;  ///< none: 250
  std::vector<Reply> outcome{{250, "2.0.0", "stored"}};

 private:
  static ServerSettings with_name(ServerSettings settings) {
    settings.hub_name = "hub.example";
    return settings;
  }

  void run() {
    while (!closed) {
      const auto action = machine.next();
      if (std::holds_alternative<ServerMachine::NeedInput>(action)) return;
      take(action);
    }
  }

  void take(const ServerMachine::Action& action) {
    if (const auto* sender = std::get_if<ServerMachine::CheckSender>(&action)) {
      machine.answer(on_sender(sender->sender));
    } else if (const auto* recipient = std::get_if<ServerMachine::CheckRecipient>(&action)) {
      machine.answer(on_recipient(recipient->recipient));
    } else if (std::holds_alternative<ServerMachine::BeginMessage>(action)) {
      body_.clear();
      machine.answer(on_begin ? on_begin() : Reply{250, "2.0.0", "go on"});
    } else if (const auto* bytes = std::get_if<ServerMachine::BodyBytes>(&action)) {
      runs.push_back(bytes->bytes);
      body_bytes += bytes->bytes.size();
      body_ += bytes->bytes;
    } else if (std::holds_alternative<ServerMachine::EndMessage>(action)) {
      accepted.push_back({machine.envelope(), std::exchange(body_, {}), machine.transmission_type(),
                          machine.declared_size()});
      machine.answer_message(outcome);
    } else if (const auto* password = std::get_if<ServerMachine::CheckPassword>(&action)) {
      passwords.emplace_back(password->user, password->password);
      machine.answer(on_password);
    } else if (std::holds_alternative<ServerMachine::StartTls>(action)) {
      ++handshakes;
      machine.secured();
    } else if (const auto* drop = std::get_if<ServerMachine::DropMessage>(&action)) {
      dropped.emplace_back(drop->reason);
      body_.clear();
    } else if (const auto* refusal = std::get_if<ServerMachine::Refused>(&action)) {
      refused.emplace_back(refusal->reason);
    } else if (std::holds_alternative<ServerMachine::Close>(action)) {
      closed = true;
    }
  }

  std::string body_;
};

}  // namespace relay::smtp
