#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "relay/delivery/body_source.hpp"
#include "relay/delivery/next_hop_policy.hpp"
#include "relay/directory/next_hop.hpp"
#include "relay/net/connection.hpp"
#include "relay/net/resolver.hpp"
#include "relay/smtp/client_machine.hpp"

namespace relay {

/// How one transaction ended.
struct TransactionEnd {
  std::vector<smtp::ClientRecipientResult> results;  ///< one for each recipient, in order
  bool reusable = false;                             ///< the connection can take another transaction
  bool answered = false;         ///< the next hop said anything in this transaction but that it hangs up
  bool chunking_failed = false;  ///< nothing was taken, because BDAT was offered and is not known
  bool passes_dsn = false;       ///< notifications are the next hop's to give from here on (RFC 3461 5.2.1)
};

/// One connection to a next hop, from the look-up of its name to QUIT: the client machine with its bytes and
/// deadlines (`NextHopPatience`). Lives on one thread.
class NextHopSession {
 public:
  NextHopSession(boost::asio::io_context& context, NextHop hop, std::string hub_name, NextHopPolicy policy);

  /// Looks the host up, tries its addresses one after the other, and greets. Empty when the connection is
  /// ready, otherwise why it is not, as a reply: `451 4.4.1 …`. Once.
  boost::asio::awaitable<std::string> open();
  boost::asio::awaitable<TransactionEnd> transact(smtp::ClientTransaction transaction, BodySource& body);
  boost::asio::awaitable<void> quit();
  /// Breaks off: a transaction under way ends as unsent or unknown.
  void cut();

  /// What the next hop offers.
  const smtp::ClientExtensions& extensions() const { return machine_.extensions(); }

 private:
  using Instant = std::chrono::steady_clock::time_point;
  enum class Turn { ready, transaction_done, failed };

  // --- next_hop_opening.cpp
  boost::asio::awaitable<std::vector<boost::asio::ip::tcp::endpoint>> look_up();
  boost::asio::awaitable<bool> open_one(boost::asio::ip::tcp::endpoint endpoint, NextHop::Tls tls);
  boost::asio::awaitable<void> secure();
  void log_connected() const;

  // --- next_hop_session.cpp
  boost::asio::awaitable<Turn> drive(BodySource* body);
  boost::asio::awaitable<void> flush();
  boost::asio::awaitable<void> read(smtp::ClientMachine::Waiting waiting);
  boost::asio::awaitable<void> feed_body(BodySource* body);
  std::chrono::milliseconds time_left(smtp::ClientMachine::Waiting waiting);

  boost::asio::io_context& context_;
  const NextHop hop_;
  const std::string hub_name_;
  const NextHopPolicy policy_;
  std::shared_ptr<HostLookup> lookup_;
  std::shared_ptr<Connection> connection_;
  smtp::ClientMachine machine_;
  smtp::Reply failure_;
  bool handshake_failed_ = false;
  std::vector<char> buffer_;
  std::chrono::milliseconds patience_{};  ///< for the replies of the transaction, its body apart
  Instant give_up_at_{};                  ///< all that is awaited now, however many replies it is
  Instant reply_due_{};                   ///< the reply that is awaited now
  std::uint64_t replies_seen_ = 0;
  bool cut_ = false;
};

}  // namespace relay
