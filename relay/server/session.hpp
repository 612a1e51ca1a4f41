#pragma once

#include <boost/asio/awaitable.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "relay/net/connection.hpp"
#include "relay/server/incoming_message.hpp"
#include "relay/server/server_context.hpp"
#include "relay/smtp/server_machine.hpp"

namespace relay {

/// One client's session: moves bytes between its connection and the server machine, and answers the machine's
/// questions from the directory and the store. Lives on the connection's thread.
///
/// In three sources: the dialogue (session.cpp), who the client is and what it may do (session_access.cpp),
/// and its messages (session_message.cpp).
class Session : public std::enable_shared_from_this<Session> {
 public:
  /// `listener`: its place among the settings' listeners.
  Session(std::shared_ptr<Connection> connection, std::size_t listener, ServerContext& context);
  ~Session();

  /// Runs to the end of the session.
  boost::asio::awaitable<void> run();
  /// Ends it with 421 when no message is being received, otherwise behind the reply to that message. From any
  /// thread.
  void stop();

 private:
  class Registration;
  class Visit;

  // --- the dialogue
  boost::asio::awaitable<void> serve();
  boost::asio::awaitable<void> converse();
  /// Does what the machine wants. False when the session is over.
  boost::asio::awaitable<bool> take(smtp::ServerMachine::Action action);
  boost::asio::awaitable<bool> exchange();
  std::chrono::milliseconds time_left() const;
  void progress(std::size_t bytes);
  boost::asio::awaitable<void> farewell(std::string enhanced, std::string text);
  boost::asio::awaitable<void> part();

  // --- the client
  boost::asio::awaitable<bool> read_proxy_header();
  bool admit();
  boost::asio::awaitable<bool> make_tls(bool greeted);
  boost::asio::awaitable<void> check_password(std::string user, std::string password);
  boost::asio::awaitable<void> check_recipient(std::string address);
  void check_sender();
  bool may_relay() const { return trusted_ || !machine_.user().empty(); }
  bool within_rate(ClientLimits::Kind kind, std::uint32_t per_minute);
  smtp::ServerSettings machine_settings() const;

  // --- the message
  boost::asio::awaitable<void> slow_down();
  void begin_message();
  boost::asio::awaitable<void> take_body(std::string_view bytes);
  boost::asio::awaitable<void> end_message();
  boost::asio::awaitable<smtp::Reply> store_message();
  std::optional<smtp::Reply> loop_refusal() const;
  void log_accepted() const;

  std::shared_ptr<Connection> connection_;
  ServerContext& context_;
  const std::shared_ptr<const ServerSettings> settings_;
  const ListenerSettings& listener_;  // of `settings_`
  boost::asio::ip::address client_;   // for whom a proxy speaks, or the peer
  bool trusted_ = false;
  std::unique_ptr<Visit> visit_;
  smtp::ServerMachine machine_;
  std::vector<std::vector<Resolved>> targets_;  ///< of the accepted recipients, in order
  std::size_t target_count_ = 0;
  std::optional<IncomingMessage> incoming_;
  std::string refusal_;  ///< why the message that is being received will be refused; empty while it will not
  std::vector<char> buffer_;
  std::chrono::steady_clock::time_point deadline_{};  ///< of what the client is to send now
  std::size_t since_deadline_ = 0;                    ///< octets read under this deadline
  bool stopping_ = false;
};

}  // namespace relay
