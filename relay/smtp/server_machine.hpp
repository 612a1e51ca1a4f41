#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "dumpster/message.hpp"

namespace relay::smtp {

enum class Protocol : std::uint8_t { smtp, lmtp };

/// A reply of one line or more: code, enhanced status code (RFC 3463) and text.
struct Reply {
  int code = 250;
  std::string enhanced;  ///< "2.1.5"; empty where none belongs (greeting, EHLO, 354)
  std::string text;
};

struct ServerSettings {
  Protocol protocol = Protocol::smtp;
  std::string hub_name;
  std::uint64_t max_message_size = 36ULL << 20;
  std::uint32_t max_recipients = 1000;
  std::uint32_t max_errors =
      20;  ///< after so many commands refused by the machine the session ends with 421 4.7.0
  std::uint32_t max_refusals = 200;  ///< the same for senders and recipients that the owner refused with 5xx
  bool secure = false;               ///< under TLS from the first byte on
  bool starttls = false;             ///< offered while the session is not under TLS
  bool authentication = false;       ///< offered under TLS, never without
  bool require_authentication = false;  ///< no mail before AUTH
  std::uint32_t max_auth_failures = 3;  ///< then the session ends with 421 4.7.0
  bool xforward = false;                ///< the client may say for whom it speaks
};

/// For whom a client says that it speaks (XFORWARD): each empty until said.
struct ForwardedClient {
  std::string name;
  std::string address;
  std::string hello;
};

/// One recipient as the client named it, grammar checked.
struct RecipientCommand {
  std::string address;  ///< without angle brackets; `postmaster` without a domain is legal (RFC 5321 4.5.1)
  std::string original_recipient;  ///< ORCPT, still xtext
  std::uint8_t notify = 0;
};

/// The receiving side of SMTP and LMTP as a machine without I/O, clock or look-ups.
///
/// Operation: the owner feeds bytes with `receive`, then calls `next` until it gives `NeedInput`. Each action
/// that wants an answer is answered before `next` is called again; the answer may come much later, and what
/// the client has pipelined behind waits in the machine. Replies gather in `take_output`, so that a pipelined
/// group of commands is answered with one write (RFC 2920). Not thread-safe; bytes held back are bounded by
/// one command line (RFC 5321 4.5.3.1.4, with the extensions' room) plus what was fed at once.
class ServerMachine {
 public:
  explicit ServerMachine(ServerSettings settings);
  ~ServerMachine();
  ServerMachine(ServerMachine&&) noexcept;
  ServerMachine& operator=(ServerMachine&&) noexcept;

  struct NeedInput {};  ///< write `take_output`, then read more
  struct CheckSender {
    std::string sender;
  };  ///< answer with `answer(Reply)`: 250 accepts
  struct CheckRecipient {
    RecipientCommand recipient;
  };  ///< answer with `answer(Reply)`: 250 accepts
  /// All recipients are known and DATA or the first BDAT was given. Answer with `answer(Reply)`: 250
  /// goes on (the machine says 354 where it belongs), anything else refuses the message.
  struct BeginMessage {};
  /// Bytes of the message, transparency removed; valid until the next call. No answer.
  struct BodyBytes {
    std::string_view bytes;
  };
  /// The message is complete. Answer with `answer_message`: one reply for SMTP, one for each accepted
  /// recipient in order for LMTP. Given only when the message is whole, within the size, and free of what RFC
  /// 5321 forbids.
  struct EndMessage {};
  /// The message begun is not to be kept. Given as soon as that is certain; the rest of it is swallowed and
  /// the client gets its replies at the end, both by the machine. `reason`: size, bare_line_end, nul, aborted
  /// (RSET, EHLO or QUIT between two BDAT). No answer, and no `Refused` beside it.
  struct DropMessage {
    std::string_view reason;
  };
  /// A command was refused by the machine itself; for counting. `reason`: syntax, sequence, unknown_command,
  /// parameter, size, too_many_recipients, smtputf8, authentication, plaintext_behind_starttls. No answer.
  struct Refused {
    std::string_view reason;
  };
  /// AUTH has gathered what it needs. Answer with `answer(Reply)`: 235 accepts, 535 counts as a failure.
  struct CheckPassword {
    std::string user;
    std::string password;
  };
  /// Write `take_output`, make the TLS handshake, then call `secured`. Whatever the client had sent behind
  /// STARTTLS is gone: it came from anybody (RFC 3207 4.2).
  struct StartTls {};
  struct Close {};  ///< write `take_output`, then close

  using Action = std::variant<NeedInput, CheckSender, CheckRecipient, CheckPassword, BeginMessage, BodyBytes,
                              EndMessage, DropMessage, Refused, StartTls, Close>;

  /// The greeting goes to the output. With a reply other than 220 (421, 554) the session ends behind it.
  void greet(Reply greeting);
  /// Takes all of `bytes`. They are copied only where a line is cut by the end of the buffer, so they must
  /// stay as they are until `next` gives `NeedInput` or `Close`; only a call of `receive` before that copies
  /// what is left.
  void receive(std::string_view bytes);
  Action next();
  void answer(Reply reply);
  void answer_message(std::vector<Reply> replies);
  /// The handshake is over: the session begins anew under TLS, without a greeting (RFC 3207 4.2).
  void secured();

  /// Replies to write, in order; empty when there are none.
  std::string take_output();

  /// The transaction as far as it is known; complete from `BeginMessage` on, and there until
  /// `answer_message`. Recipients are those that were accepted, each with `address` and `original_address` as
  /// the client said.
  const dumpster::Envelope& envelope() const;
  /// What the client called itself (HELO, EHLO, LHLO), and the protocol word for Received (RFC 3848, RFC
  /// 6531): SMTP, ESMTP, ESMTPSA, LMTPS, UTF8SMTP …
  const std::string& client_name() const;
  std::string transmission_type() const;
  /// Who has authenticated; empty for nobody.
  const std::string& user() const;
  const ForwardedClient& forwarded() const;
  /// Octets of a message are expected, kept or not.
  bool receiving() const;
  /// SIZE= as declared by the client, 0 when it did not.
  std::uint64_t declared_size() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Text of a reply as sent: `250-2.1.0 …` lines and CRLF; text is cut into lines of at most 512 octets.
std::string serialize(const Reply& reply);

}  // namespace relay::smtp
