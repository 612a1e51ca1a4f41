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
class Session : public std::enable_shared_from_this<Session> {
 public:
  Session(std::shared_ptr<Connection> connection, smtp::Protocol protocol, ServerContext& context);

  /// Runs to the end of the session.
  boost::asio::awaitable<void> run();
  /// Ends it with 421 when no message is being received, otherwise behind the reply to that message. From any
  /// thread.
  void stop();

 private:
  class Registration;
  boost::asio::awaitable<void> converse();
  boost::asio::awaitable<bool> exchange();
  boost::asio::awaitable<void> take_body(std::string_view bytes);
  boost::asio::awaitable<void> end_message();
  boost::asio::awaitable<void> check_recipient(std::string address);
  void begin_message();
  boost::asio::awaitable<void> farewell(std::string text);

  std::shared_ptr<Connection> connection_;
  ServerContext& context_;
  smtp::Protocol protocol_;
  bool trusted_;
  smtp::ServerMachine machine_;
  std::vector<std::vector<Resolved>> targets_;  ///< of the accepted recipients, in order
  std::size_t target_count_ = 0;
  std::optional<IncomingMessage> incoming_;
  std::string refusal_;  ///< why the message that is being received will be refused; empty while it will not
  std::vector<char> buffer_;
  bool stopping_ = false;
};

}  // namespace relay
