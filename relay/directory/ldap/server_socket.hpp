#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>
#include <variant>

#include "relay/directory/ldap/server_url.hpp"

namespace relay::ldap {

using Deadline = std::chrono::steady_clock::time_point;

struct SocketFault {
  std::string text;
};

/// A blocking TCP socket, connected to one of the server's addresses before the deadline; an address that
/// does not answer leaves time for the next. The caller closes it. The name is resolved by the system, which
/// has limits of its own.
std::variant<int, SocketFault> connect_socket(const ServerUrl& server, Deadline deadline);

/// Ends a socket's connection when its time is up, so that whoever reads from it or writes to it goes on with
/// an error. libldap alone does not: a TLS handshake with a server that says nothing never ends.
class Watchdog {
 public:
  Watchdog();
  ~Watchdog();
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;

  /// Watches the socket for as long as this lives; the socket has to live longer.
  class Watch {
   public:
    Watch(Watchdog& dog, int socket, Deadline deadline);
    ~Watch();
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;

   private:
    Watchdog& dog_;
  };

 private:
  void work();

  std::mutex mutex_;
  std::condition_variable wake_;
  int socket_ = -1;
  Deadline deadline_{};
  bool ending_ = false;
  std::thread thread_;
};

}  // namespace relay::ldap
