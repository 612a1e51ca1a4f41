#pragma once

#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "relay/directory/ldap/entry.hpp"
#include "relay/directory/ldap/server_socket.hpp"

namespace relay::ldap {

/// Why the server could not be asked, or did not say.
struct SearchFailure {
  std::string text;
  bool server_away = false;  ///< not this search alone: nobody is there
};

using SearchAnswer = std::variant<std::vector<AttributeValues>, SearchFailure>;

/// One connection to a server: the only user of libldap. Blocks, for no longer than the deadline (names of
/// servers are resolved by the system, which has limits of its own). For one thread at a time, which has
/// blocked SIGPIPE or ignores it.
///
/// Connects, starts TLS and binds when it has to; a server that has closed an idle connection is asked a
/// second time on a new one. Certificates are always verified, against the server's name. Referrals are not
/// followed.
class Connection {
 public:
  explicit Connection(const Settings& settings);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// The entries that match, three at the most: more than one is one too many. Every result but success is a
  /// failure, as is a search that ended at a referral: nothing is "not there" unless the server says so.
  SearchAnswer search(const std::string& filter, Deadline deadline);
  /// Hangs up; the next search connects again.
  void drop();

 private:
  struct Handle;
  struct Reply;
  std::string connect(Deadline deadline);
  std::string connect_to(const std::string& url, Deadline deadline);
  std::string secure(Handle& handle, const ServerUrl& server);
  Reply ask(const std::string& filter, Deadline deadline);

  const Settings& settings_;
  Watchdog watchdog_;
  std::unique_ptr<Handle> handle_;
};

}  // namespace relay::ldap
