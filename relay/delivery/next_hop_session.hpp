#pragma once

#include <boost/asio/awaitable.hpp>
#include <memory>
#include <string>
#include <vector>

#include "relay/delivery/body_source.hpp"
#include "relay/directory/next_hop.hpp"
#include "relay/net/connection.hpp"
#include "relay/smtp/client_machine.hpp"

namespace relay {

/// How one transaction ended.
struct TransactionEnd {
  std::vector<smtp::ClientRecipientResult> results;  ///< one for each recipient, in order
  bool reusable = false;                             ///< the connection can take another transaction
  bool answered = false;  ///< the next hop said anything at all in this transaction
};

/// One connection to a next hop, from the greeting to QUIT: the client machine with its bytes and deadlines
/// (RFC 5321 4.5.3.2). Lives on one thread.
class NextHopSession {
 public:
  NextHopSession(boost::asio::io_context& context, smtp::ClientSettings settings);

  /// Connects and greets. Empty when the connection is ready, otherwise why it is not.
  boost::asio::awaitable<std::string> open(NextHop hop);
  boost::asio::awaitable<TransactionEnd> transact(smtp::ClientTransaction transaction, BodySource& body);
  boost::asio::awaitable<void> quit();
  /// Breaks off: a transaction under way ends as unsent or unknown.
  void cut();

 private:
  enum class Turn { ready, transaction_done, failed };
  boost::asio::awaitable<Turn> drive(BodySource* body);
  boost::asio::awaitable<void> flush();
  boost::asio::awaitable<void> read(smtp::ClientMachine::Waiting waiting);
  boost::asio::awaitable<void> feed_body(BodySource* body);

  std::shared_ptr<Connection> connection_;
  smtp::ClientMachine machine_;
  std::string failure_;
  std::vector<char> buffer_;
  bool answered_ = false;
  bool cut_ = false;
};

}  // namespace relay
