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

struct ClientSettings {
  Protocol protocol = Protocol::lmtp;
  std::string hub_name;  ///< said in EHLO or LHLO
};

/// What one transaction hands over.
struct ClientTransaction {
  std::string sender;
  dumpster::BodyType body_type = dumpster::BodyType::seven_bit;
  bool smtputf8 = false;
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
    deferred,   ///< 4xx, or never got to the data: surely not delivered
    refused,    ///< 5xx
    unknown,    ///< the end of the data was (or may have been) sent, and no reply came: in doubt
  };
  Kind kind = Kind::deferred;
  Reply reply;  ///< the next hop's words, or the machine's own when there were none (code 4xx, enhanced 4.4.2
                ///< …)
};

/// The sending side of SMTP and LMTP as a machine without I/O. One machine serves one connection and any
/// number of transactions one after the other.
///
/// Operation: after connecting, and after each `begin`, the owner loops over `next`. LMTP replies behind the
/// data are matched to the accepted recipients in count and order; one too few or too many, or any reply that
/// is out of step, is a failed connection (`Failed`), never a delivered mail. Not thread-safe; a reply is
/// bounded to 64 KiB.
class ClientMachine {
 public:
  explicit ClientMachine(ClientSettings settings);
  ~ClientMachine();
  ClientMachine(ClientMachine&&) noexcept;
  ClientMachine& operator=(ClientMachine&&) noexcept;

  /// What the owner waits for, which decides the deadline (RFC 5321 4.5.3.2).
  enum class Waiting : std::uint8_t { greeting, hello, mail, recipient, data, data_end, quit };

  struct Send {};  ///< write all of `take_output`, then call `next`
  struct NeedInput {
    Waiting waiting;
  };                   ///< write `take_output` if any, read, call `receive`
  struct NeedBody {};  ///< give the next bytes of the message with `body`, or `body_end`
  struct Ready {};     ///< no transaction: `begin` or `quit`
  /// All recipients have a result (`results`); the connection is `Ready` at the next call, or `Failed`.
  struct TransactionDone {};
  /// The connection is of no more use; a transaction under way has its results. `reason` for the log.
  struct Failed {
    std::string reason;
  };

  using Action = std::variant<Send, NeedInput, NeedBody, Ready, TransactionDone, Failed>;

  Action next();
  void receive(std::string_view bytes);
  void begin(ClientTransaction transaction);
  /// Bytes of the message; transparency (RFC 5321 4.5.2) is the machine's. Any bare CR or LF would have been
  /// refused at acceptance; what is found all the same goes out as CRLF never: the transaction fails before
  /// its end.
  void body(std::string_view bytes);
  void body_end();
  void quit();
  /// The connection broke, timed out or was cut: settles the transaction under way. `detail` for the replies.
  void disconnected(std::string_view detail);

  std::string take_output();
  const std::vector<ClientRecipientResult>& results() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace relay::smtp
