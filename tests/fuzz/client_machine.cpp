// What the worst next hop may answer: the first byte chooses the settings, the second how the input is split.
// Whatever comes, each recipient of a transaction gets one result, delivered is said only on a 2xx, and in
// doubt only behind the end of the data.
#include <algorithm>
#include <string>
#include <vector>

#include "relay/smtp/client_machine.hpp"
#include "tests/fuzz/fuzzing.hpp"

namespace {

using relay::smtp::ClientMachine;
using Kind = relay::smtp::ClientRecipientResult::Kind;

constexpr std::size_t recipients = 3;

relay::smtp::ClientSettings settings_of(unsigned choice) {
  relay::smtp::ClientSettings settings;
  settings.hub_name = "hub.example";
  if ((choice & 1U) != 0) settings.protocol = relay::smtp::Protocol::smtp;
  using StartTls = relay::smtp::ClientSettings::StartTls;
  if ((choice & 2U) != 0) settings.start_tls = StartTls::offered;
  if ((choice & 4U) != 0) settings.start_tls = StartTls::required;
  if ((choice & 8U) != 0) settings.credentials = relay::smtp::Credentials{"user", "secret"};
  settings.chunking = (choice & 16U) != 0;
  return settings;
}

relay::smtp::ClientTransaction transaction_of(unsigned choice) {
  relay::smtp::ClientTransaction transaction;
  transaction.sender = "sender@example.net";
  transaction.size = 20;
  transaction.smtputf8 = (choice & 32U) != 0;
  transaction.require_tls = (choice & 64U) != 0;
  if ((choice & 128U) != 0) transaction.body_type = dumpster::BodyType::eight_bit_mime;
  for (std::size_t i = 0; i < recipients; ++i)
    transaction.recipients.push_back({"user" + std::to_string(i) + "@example.test", {}, 0});
  return transaction;
}

class Owner {
 public:
  explicit Owner(unsigned choice) : choice_(choice), machine_(settings_of(choice)) {}

  /// False when the connection is of no more use.
  bool feed(std::string_view bytes) {
    machine_.receive(bytes);
    return act();
  }
  void hang_up() {
    machine_.disconnected("the input is over");
    while (act()) {
    }
  }

 private:
  bool act() {
    while (true) {
      const auto action = machine_.next();
      if (std::holds_alternative<ClientMachine::NeedInput>(action)) return true;
      if (std::holds_alternative<ClientMachine::Failed>(action)) {
        if (under_way_) check_results();
        return false;
      }
      take(action);
    }
  }

  void take(const ClientMachine::Action& action) {
    if (std::holds_alternative<ClientMachine::Send>(action)) {
      HOLDS(!machine_.take_output().empty());
    } else if (std::holds_alternative<ClientMachine::StartTls>(action)) {
      HOLDS((choice_ & 6U) != 0);
      machine_.secured((choice_ & 1U) != 0);
    } else if (std::holds_alternative<ClientMachine::NeedBody>(action)) {
      machine_.body("Subject: x\r\n\r\n.\r\n");
      machine_.body_end();
      ended_ = true;
    } else if (std::holds_alternative<ClientMachine::TransactionDone>(action)) {
      check_results();
    } else if (begun_ < 3) {
      ++begun_;
      under_way_ = true;
      ended_ = false;
      machine_.begin(transaction_of(choice_));
    } else {
      machine_.quit();
    }
  }

  void check_results() {
    under_way_ = false;
    const auto& results = machine_.results();
    HOLDS(results.size() == recipients);
    for (const auto& result : results) {
      HOLDS(result.reply.code >= 200 && result.reply.code <= 599);
      HOLDS(result.kind != Kind::delivered || (ended_ && result.reply.code / 100 == 2));
      HOLDS(result.kind != Kind::refused || result.reply.code / 100 == 5);
      HOLDS(result.kind != Kind::unknown || ended_);
      HOLDS(result.reply.text.size() <= 1003);
    }
  }

  unsigned choice_;
  ClientMachine machine_;
  int begun_ = 0;
  bool under_way_ = false;
  bool ended_ = false;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  std::string_view input{reinterpret_cast<const char*>(data) + 2, size - 2};
  Owner owner{data[0]};
  const std::size_t piece = data[1] % 64U + 1U;
  bool open = owner.feed({});
  while (open && !input.empty()) {
    // A copy of exact size, so that a sanitizer sees every read beyond it.
    const auto taken = std::min(piece, input.size());
    const std::vector<char> copy(input.begin(), input.begin() + static_cast<std::ptrdiff_t>(taken));
    open = owner.feed({copy.data(), copy.size()});
    input.remove_prefix(taken);
  }
  if (open) owner.hang_up();
  return 0;
}
