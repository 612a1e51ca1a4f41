#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "dumpster/message.hpp"
#include "relay/smtp/server_machine.hpp"

namespace relay::smtp {

/// Name and password for AUTH (RFC 4954).
struct Credentials {
  std::string user;
  std::string password;

  bool operator==(const Credentials&) const = default;
};

struct ClientSettings {
  Protocol protocol = Protocol::lmtp;
  std::string hub_name;  ///< said in EHLO or LHLO
  enum class StartTls : std::uint8_t {
    never,
    offered,   ///< where the next hop offers it and is ready for it
    required,  ///< or the connection is `Failed` before any mail is said on it
  };
  StartTls start_tls = StartTls::never;
  /// Said with AUTH PLAIN or LOGIN, under TLS only; a connection on which that is not possible, or that is
  /// refused, is `Failed`.
  std::optional<Credentials> credentials;
  bool chunking = true;  ///< BDAT where it is offered (RFC 3030)
};

/// What one transaction hands over.
struct ClientTransaction {
  std::string sender;
  dumpster::BodyType body_type = dumpster::BodyType::seven_bit;
  bool smtputf8 = false;
  /// Nothing above ASCII is in the header: then a message that was declared SMTPUTF8 can do without.
  bool ascii_header = false;
  bool require_tls = false;
  dumpster::NotifyReturn notify_return = dumpster::NotifyReturn::unspecified;
  std::string envelope_id;
  std::uint64_t size = 0;  ///< bytes that `body` will be given, before transparency
  struct Recipient {
    std::string address;
    std::string original_recipient;
    std::uint8_t notify = 0;
  };
  std::vector<Recipient> recipients;
};

/// What became of one recipient of a transaction, in the order of the recipients.
struct ClientRecipientResult {
  enum class Kind : std::uint8_t {
    delivered,  ///< 2xx behind the data
    deferred,   ///< 4xx, or never got to the end of the data: surely not delivered
    refused,    ///< 5xx
    unknown,    ///< the end of the data was (or may have been) sent, and no reply came: in doubt
  };
  Kind kind = Kind::deferred;
  Reply
      reply;  ///< the next hop's words, or the machine's own when there were none (code 4xx, enhanced 4.4.2)
};

/// What the next hop offered behind EHLO or LHLO.
struct ClientExtensions {
  bool pipelining = false;
  bool eight_bit_mime = false;
  bool smtputf8 = false;
  bool dsn = false;
  bool require_tls = false;
  bool start_tls = false;
  bool chunking = false;
  bool auth_plain = false;
  bool auth_login = false;
  bool size = false;
  std::uint64_t max_size = 0;  ///< 0: no limit told
};

/// The sending side of SMTP and LMTP as a machine without I/O. One machine serves one connection and any
/// number of transactions one after the other.
///
/// Security: at `StartTls` the owner makes the handshake and calls `secured`; what was fed before is thrown
/// away and everything is said anew (RFC 3207 4.2). Where the connection is under TLS from its first byte,
/// `secured` is called before anything else.
///
/// Operation: after connecting, and after each `begin`, `body`, `body_end`, `quit` and `receive`, the owner
/// calls `next` and does what the action says. Output is written at `Send` and only there: every other action
/// is given with nothing left to write. So memory is bounded by one piece of the body, and a piece is asked
/// for only when the one before is written. Replies behind the data are matched to the accepted recipients in
/// count and order; one too many, or any reply that is out of step, is a failed connection (`Failed`), never
/// a delivered mail.
///
/// Results: what was refused at MAIL, RCPT or DATA has those words. Whoever has no reply when the connection
/// ends is `deferred` while `body_end` had not been called, and `unknown` from then on; replies of LMTP that
/// had come by then stand. 421 anywhere ends the connection, and so does a chunk of BDAT that is refused.
/// Not thread-safe; a reply is bounded to 64 KiB, and what of it gets into results and reasons to 1,000
/// octets of clean UTF-8, with three dots behind them where there was more.
class ClientMachine {
 public:
  explicit ClientMachine(ClientSettings settings);
  ~ClientMachine();
  ClientMachine(ClientMachine&&) noexcept;
  ClientMachine& operator=(ClientMachine&&) noexcept;

  /// What the owner waits for, which decides the deadline (RFC 5321 4.5.3.2).
  enum class Waiting : std::uint8_t { greeting, hello, mail, recipient, data, chunk, data_end, quit };

  struct Send {};  ///< write all of `take_output`
  /// Read, then `receive`. There is nothing to write.
  struct NeedInput {
    Waiting waiting;
  };
  /// The next hop awaits the handshake of TLS: `secured` or `disconnected`.
  struct StartTls {};
  /// Give the next bytes of the message with `body`. Behind the last ones `body_end` may be called at once,
  /// so that both are written together.
  struct NeedBody {};
  struct Ready {};  ///< no transaction: `begin` or `quit`
  /// All recipients have a result (`results`); the connection is `Ready` at the next call, or `Failed`.
  struct TransactionDone {};
  /// The connection is of no more use: close it. A transaction under way has its results; no
  /// `TransactionDone` is given for it. Also given behind the reply to QUIT. `reason` for the log.
  struct Failed {
    std::string reason;
    Reply words;  ///< the next hop's, or the machine's own
  };

  using Action = std::variant<Send, NeedInput, StartTls, NeedBody, Ready, TransactionDone, Failed>;

  Action next();
  void receive(std::string_view bytes);
  /// Everything is under TLS from now on. `verified`: the next hop has proved who it is.
  void secured(bool verified);
  /// To be called at `Ready`. What the next hop cannot take (SMTPUTF8 5.6.7 and 5.6.9, 8BITMIME 5.6.3, SIZE
  /// 5.3.4, REQUIRETLS 5.7.30) is refused without a word to it. On a failed connection all recipients are
  /// deferred.
  void begin(ClientTransaction transaction);
  /// Bytes of the message, any number at a time; transparency (RFC 5321 4.5.2) is the machine's. A bare CR, a
  /// bare LF or a NUL, which acceptance refuses, is never sent: all recipients are refused (5.6.0), the data
  /// has no end, and the connection is `Failed`.
  void body(std::string_view bytes);
  /// The message is whole. From this call on recipients without a reply are in doubt.
  void body_end();
  /// To be called at `Ready`.
  void quit();
  /// The connection broke, timed out or was cut: settles the transaction under way. `detail` for the replies.
  void disconnected(std::string_view detail);
  /// The same, with other words than `451 4.4.2 connection lost: …`: a code of 4xx.
  void disconnected(Reply words);

  std::string take_output();
  const std::vector<ClientRecipientResult>& results() const;
  /// What was offered; all false before the reply to EHLO or LHLO and behind HELO.
  const ClientExtensions& extensions() const;
  /// How many replies were understood so far, for deadlines: one that is sent a byte at a time is no
  /// progress.
  std::uint64_t replies() const;
  /// The next hop has answered to the transaction under way, or to the last one, other than by hanging up.
  bool answered() const;
  /// BDAT was offered and is not known to the next hop after all: nothing of the transaction was taken.
  bool chunking_failed() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace relay::smtp
