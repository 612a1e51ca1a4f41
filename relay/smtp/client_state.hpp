#pragma once

#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "relay/smtp/client_machine.hpp"
#include "relay/smtp/data_encoder.hpp"
#include "relay/smtp/reply_parser.hpp"

namespace relay::smtp {

/// The inside of `ClientMachine`: the connection (client_machine.cpp), commands (client_commands.cpp) and
/// replies (client_replies.cpp).
struct ClientMachine::State {
  enum class Phase : std::uint8_t {
    hello,     ///< greeting, EHLO, LHLO, HELO
    ready,     ///< no transaction
    commands,  ///< MAIL, RCPT, DATA
    body,      ///< 354 was read, the end is not sent
    ended,     ///< the end is sent
    done,      ///< `TransactionDone` is to be told
    quitting,
    failed,
  };
  enum class About : std::uint8_t {
    greeting,
    hello,
    helo,
    reset,
    mail,
    recipient,
    data,
    data_end,
    no_message,
    quit
  };
  /// A reply that is due, in the order of the commands.
  struct Expected {
    About about;
    std::size_t recipient = 0;
  };

  explicit State(ClientSettings settings_given) : settings(std::move(settings_given)) {}

  ClientSettings settings;
  Phase phase = Phase::hello;
  ClientExtensions extensions;
  std::deque<Expected> expected{{About::greeting, 0}};
  ReplyParser parser;
  std::string output;
  std::string failure;

  // --- the transaction
  ClientTransaction transaction;
  std::vector<ClientRecipientResult> results;
  std::vector<bool> settled;
  std::vector<std::size_t> accepted;
  std::size_t next_recipient = 0;
  bool mail_sent = false;
  bool mail_refused = false;
  bool data_sent = false;
  bool needs_reset = false;  ///< the next hop still has a transaction that ended without its data
  DataEncoder encoder;

  bool lmtp() const { return settings.protocol == Protocol::lmtp; }
  bool in_transaction() const {
    return phase == Phase::commands || phase == Phase::body || phase == Phase::ended;
  }
  Waiting waiting() const;

  // --- commands
  void command(std::string text, About about, std::size_t recipient = 0);
  void begin();
  std::optional<Reply> cannot_take() const;
  void issue_commands();
  bool issue_next_command();
  std::string mail_command() const;
  std::string recipient_command(const ClientTransaction::Recipient& recipient) const;

  // --- replies
  void read_replies();
  void take(const Expected& due, const Reply& reply);
  void take_greeting(const Reply& reply);
  void take_hello(About about, const Reply& reply);
  void take_mail(const Reply& reply);
  void take_recipient(std::size_t recipient, const Reply& reply);
  void take_data(const Reply& reply);
  void take_data_end(std::size_t recipient, const Reply& reply);
  void take_closing(const Expected& due, const Reply& reply);
  void check_nothing_left();
  void read_extensions(std::string_view text);

  // --- results
  void settle(std::size_t recipient, const Reply& reply);
  void settle_accepted(const Reply& reply);
  void settle_rest(const Reply& reply);
  void finish();
  /// The end of the connection: whoever has no result gets one, see `ClientMachine`.
  void fail(std::string reason, const Reply& words);
  void out_of_step(const std::string& what);
};

}  // namespace relay::smtp
