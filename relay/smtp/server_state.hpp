#pragma once

#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "relay/smtp/command_reader.hpp"
#include "relay/smtp/data_decoder.hpp"
#include "relay/smtp/server_machine.hpp"

namespace relay::smtp {

/// The inside of `ServerMachine`: input, commands (server_commands.cpp), what protects
/// the session (server_security.cpp) and message (server_body.cpp).
struct ServerMachine::State {
  enum class Phase : std::uint8_t { greeting, command, answer, credentials, tls, data, chunk, closed };
  enum class Question : std::uint8_t { sender, recipient, password, data, chunk, message };
  /// What the next line of an AUTH exchange is.
  enum class Credentials : std::uint8_t { plain, login_name, login_password };
  /// How far the message of a transaction is.
  enum class Body : std::uint8_t {
    none,
    begun,    ///< the owner said yes to `BeginMessage`
    dropped,  ///< begun, and the owner was told to drop it, or never begun since the owner said no
  };

  explicit State(ServerSettings settings_given)
      : settings(std::move(settings_given)), secure(settings.secure) {}

  // --- the session
  ServerSettings settings;
  Phase phase = Phase::greeting;
  Question question = Question::sender;
  std::string client_name;
  bool extended = false;  ///< EHLO or LHLO, not HELO
  bool secure;            ///< under TLS
  std::string user;
  ForwardedClient forwarded;
  Credentials credentials = Credentials::plain;
  std::string claimed_user;  ///< of the AUTH under way
  std::uint32_t auth_failures = 0;
  std::uint32_t errors = 0;
  std::uint32_t refusals = 0;
  std::string output;
  std::deque<Action> actions;

  // --- input not looked at yet: `rest` is a view of the owner's bytes or of `held`
  std::string held;
  std::string_view rest;
  CommandReader reader;

  // --- the transaction
  bool in_transaction = false;
  dumpster::Envelope envelope;
  std::uint64_t declared_size = 0;
  dumpster::Recipient asked;  ///< the recipient that the owner is asked about
  Body body = Body::none;
  bool chunked = false;  ///< the message comes with BDAT
  std::uint64_t chunk_left = 0;
  bool chunk_last = false;
  std::uint64_t body_size = 0;
  std::optional<Reply> verdict;  ///< why the message, or this chunk, is refused
  DataDecoder decoder;

  bool lmtp() const { return settings.protocol == Protocol::lmtp; }
  void say(const Reply& reply) { output += serialize(reply); }
  void act(Action action) { actions.push_back(std::move(action)); }
  void ask(Question about, Action action);
  void refuse(const Reply& reply, std::string_view reason);
  /// Counts a refused command; at the limit the session ends with 421 and true is given.
  bool too_many_errors();
  void close();
  void reset();

  void keep_rest();
  void step();
  void read_command();
  void run_command(std::string_view line);
  bool needs_authentication(std::string_view verb) const;
  void no_argument_command(std::string_view verb);
  void hello(std::string_view verb, std::string_view argument);
  std::string extensions() const;
  void mail(std::string_view argument);
  void recipient(std::string_view argument);
  void starttls(std::string_view argument);
  void secured();
  void auth(std::string_view argument);
  void read_credentials();
  void take_credentials(std::string_view line);
  void take_plain(std::string_view decoded);
  void check_password(std::string password);
  void answered_password(const Reply& reply);
  void xforward(std::string_view argument);
  void data();
  void bdat(std::string_view argument);

  void read_data();
  void read_chunk();
  void take_step(const DataDecoder::Step& step);
  void drop(Reply why, std::string_view reason);
  void end_of_message();
  void end_of_chunk();
  void answer_body(const Reply& reply);
  void answered_sender(const Reply& reply);
  void answered_recipient(const Reply& reply);
  void count_refusal(const Reply& reply);
};

}  // namespace relay::smtp
