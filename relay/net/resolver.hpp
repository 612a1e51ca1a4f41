#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

namespace relay {

/// What a look-up has found.
struct HostAddresses {
  std::vector<boost::asio::ip::address> found;  ///< in the order of RFC 6724, 16 at the most
  std::string fault;                            ///< why there are none; empty when there are
  bool no_such_host = false;                    ///< that is the answer itself, not that nobody could be asked
};

/// One look-up under way. Lives on the thread of its resolver.
class HostLookup {
 public:
  explicit HostLookup(boost::asio::io_context& context);

  /// The result, or a fault after `limit`. By one caller, once.
  boost::asio::awaitable<HostAddresses> wait(std::chrono::milliseconds limit);
  /// Ends the wait at once, with a fault.
  void cancel();
  void finish(HostAddresses result);

 private:
  boost::asio::steady_timer finished_;
  HostAddresses result_;
  bool done_ = false;
};

/// Names to addresses, A and AAAA, by /etc/hosts and DNS as /etc/resolv.conf says, without blocking and
/// without threads of its own. What these files say counts within a minute. Lives and dies on the thread of
/// `context`.
class Resolver {
 public:
  /// `servers`: `ADDRESS:PORT,…` in place of those of /etc/resolv.conf, for tests.
  explicit Resolver(boost::asio::io_context& context, std::string servers = {});
  ~Resolver();
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;

  /// Never fails to end: a server that does not answer is given up after about ten seconds.
  std::shared_ptr<HostLookup> look_up(const std::string& host);

 private:
  struct Channel;
  boost::asio::io_context& context_;
  std::string servers_;
  std::shared_ptr<Channel> channel_;
};

/// The resolver of that thread; goes with `context`.
Resolver& resolver_of(boost::asio::io_context& context);

}  // namespace relay
