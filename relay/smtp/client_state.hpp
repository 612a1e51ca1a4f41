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

/// The inside of `ClientMachine`: the connection (client_machine.cpp), its beginning (client_greeting.cpp),
/// commands (client_commands.cpp) and replies (client_replies.cpp).
struct ClientMachine::State {
  enum class Phase : std::uint8_t {
    hello,      ///< greeting, EHLO, LHLO, HELO, STARTTLS, AUTH
    handshake,  ///< the owner makes TLS
    ready,      ///< no transaction
    commands,   ///< MAIL, RCPT, DATA
    body,       ///< 354 was read (or BDAT is possible), the end is not sent
    ended,      ///< the end is sent
    done,       ///< `TransactionDone` is to be told
    quitting,
    failed,
  };
  enum class About : std::uint8_t {
    greeting,
    hello,
    helo,
    start_tls,
    auth_plain,        ///< the response is in the command
    auth_plain_empty,  ///< or follows
    auth_login,
    auth_user,
    auth_password,
    reset,
    mail,
    recipient,
    data,
    chunk,
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
  Reply failure_words;
  bool under_tls = false;
  bool verified = false;
  std::uint64_t replies = 0;

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
  bool answered = false;
  bool chunked = false;         ///< the body goes out with BDAT
  bool chunk_accepted = false;  ///< BDAT has been answered by one who knows it
  bool chunking_failed = false;
  std::string chunk;  ///< bytes of the body for the next BDAT
  DataEncoder encoder;

  bool lmtp() const { return settings.protocol == Protocol::lmtp; }
  bool in_transaction() const {
    return phase == Phase::commands || phase == Phase::body || phase == Phase::ended;
  }
  Waiting waiting() const;

  // --- greeting
  void greet();
  void take_greeting(const Reply& reply);
  void take_hello(About about, const Reply& reply);
  void read_extensions(std::string_view text);
  void read_extension(std::string_view keyword, std::string_view parameters);
  void secure_or_authenticate();
  void take_start_tls(const Reply& reply);
  void authenticate();
  void take_authentication(About about, const Reply& reply);

  // --- commands
  void command(std::string text, About about, std::size_t recipient = 0);
  void begin();
  std::optional<Reply> cannot_take() const;
  std::optional<Reply> cannot_take_recipient(const ClientTransaction::Recipient& recipient) const;
  bool may_chunk() const { return extensions.chunking && settings.chunking; }
  void begin_chunks();
  void send_chunk(bool last);
  void issue_commands();
  bool issue_next_command();
  std::string mail_command() const;
  std::string recipient_command(const ClientTransaction::Recipient& recipient) const;

  // --- replies
  void read_replies();
  void take(const Expected& due, const Reply& reply);
  void take_mail(const Reply& reply);
  void take_recipient(std::size_t recipient, const Reply& reply);
  void take_data(const Reply& reply);
  void take_chunk(const Reply& reply);
  bool is_about_bdat(const Reply& reply) const;
  void chunking_unknown(const Reply& reply);
  void take_data_end(std::size_t recipient, const Reply& reply);
  void take_closing(const Expected& due, const Reply& reply);
  void check_nothing_left();

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
