// A whole session: the first byte chooses the settings, the second how the input is split. Whatever comes,
// replies are well formed, messages given to the owner are clean, and the split changes nothing.
#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "relay/smtp/server_machine.hpp"
#include "tests/fuzz/fuzzing.hpp"

namespace {

using relay::smtp::Reply;
using relay::smtp::ServerMachine;

struct Outcome {
  std::string output;
  std::vector<std::string> messages;
  std::string user;

  bool operator==(const Outcome&) const = default;
};

relay::smtp::ServerSettings settings_of(unsigned choice) {
  relay::smtp::ServerSettings settings;
  settings.hub_name = "hub.example";
  settings.max_message_size = (choice & 1U) != 0 ? 200 : 100'000;
  settings.max_recipients = 3;
  if ((choice & 2U) != 0) settings.protocol = relay::smtp::Protocol::lmtp;
  settings.starttls = (choice & 4U) != 0;
  settings.secure = !settings.starttls && (choice & 8U) != 0;
  settings.authentication = (choice & 16U) != 0;
  settings.require_authentication = (choice & 32U) != 0;
  settings.xforward = (choice & 64U) != 0;
  return settings;
}

bool is_clean(const std::string& text) {
  for (std::size_t at = 0; at < text.size(); ++at) {
    const bool cr_before = at > 0 && text[at - 1] == '\r';
    if (text[at] == '\0' || (text[at] == '\n' && !cr_before)) return false;
    if (text[at] != '\n' && cr_before) return false;
  }
  return text.empty() || text.back() != '\r';
}

/// Each line `NNN-…` or `NNN …` of printable characters, at most 512 octets.
bool are_replies(std::string_view output) {
  while (!output.empty()) {
    const auto end = output.find("\r\n");
    if (end == std::string_view::npos || end < 4 || end + 2 > 512) return false;
    const auto line = output.substr(0, end);
    const auto digit = [](char c) { return c >= '0' && c <= '9'; };
    if (!std::all_of(line.begin(), line.begin() + 3, digit) || (line[3] != ' ' && line[3] != '-'))
      return false;
    if (!std::all_of(line.begin(), line.end(), [](char c) { return c >= ' ' && c <= '~'; })) return false;
    output.remove_prefix(end + 2);
  }
  return true;
}

class Owner {
 public:
  explicit Owner(unsigned choice) : machine_(settings_of(choice)) {
    machine_.greet({220, {}, "hub.example"});
  }

  /// False when the session is over, or the rest of the input belongs to a TLS handshake.
  bool feed(std::string_view bytes) {
    machine_.receive(bytes);
    while (true) {
      auto action = machine_.next();
      if (std::holds_alternative<ServerMachine::NeedInput>(action)) return true;
      if (!take(action)) return false;
    }
  }
  Outcome outcome() {
    outcome_.output += machine_.take_output();
    outcome_.user = machine_.user();
    return outcome_;
  }

 private:
  bool take(ServerMachine::Action& action) {
    if (auto* body = std::get_if<ServerMachine::BodyBytes>(&action)) {
      message_ += body->bytes;
    } else if (std::holds_alternative<ServerMachine::CheckSender>(action)) {
      machine_.answer({250, "2.1.0", "ok"});
    } else if (auto* check = std::get_if<ServerMachine::CheckRecipient>(&action)) {
      const bool known = check->recipient.address.find("no") == std::string::npos;
      machine_.answer(known ? Reply{250, "2.1.5", "ok"} : Reply{550, "5.1.1", "unknown"});
    } else if (auto* password = std::get_if<ServerMachine::CheckPassword>(&action)) {
      HOLDS(!password->user.empty() && !password->password.empty());
      machine_.answer(password->password == "secret" ? Reply{235, "2.7.0", "ok"} : Reply{535, "5.7.8", "no"});
    } else if (std::holds_alternative<ServerMachine::BeginMessage>(action)) {
      HOLDS(!machine_.envelope().recipients.empty());
      message_.clear();
      machine_.answer({250, "2.0.0", "ok"});
    } else if (std::holds_alternative<ServerMachine::EndMessage>(action)) {
      HOLDS(is_clean(message_));
      outcome_.messages.push_back(std::exchange(message_, {}));
      machine_.answer_message({{250, "2.0.0", "ok"}});
    } else if (std::holds_alternative<ServerMachine::DropMessage>(action)) {
      message_.clear();
    } else if (std::holds_alternative<ServerMachine::StartTls>(action)) {
      return false;
    } else if (std::holds_alternative<ServerMachine::Close>(action)) {
      return false;
    }
    return true;
  }

  ServerMachine machine_;
  std::string message_;
  Outcome outcome_;
};

Outcome run(unsigned choice, std::string_view input, std::size_t piece) {
  Owner owner{choice};
  while (!input.empty()) {
    // A copy of exact size, so that a sanitizer sees every read beyond it.
    const auto size = std::min(piece, input.size());
    const std::vector<char> copy(input.begin(), input.begin() + static_cast<std::ptrdiff_t>(size));
    if (!owner.feed({copy.data(), copy.size()})) break;
    input.remove_prefix(size);
  }
  return owner.outcome();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::string_view input{reinterpret_cast<const char*>(data) + 2, size - 2};
  const auto whole = run(data[0], input, input.size() + 1);
  HOLDS(are_replies(whole.output));
  HOLDS(whole == run(data[0], input, data[1] % 31U + 1U));
  return 0;
}
