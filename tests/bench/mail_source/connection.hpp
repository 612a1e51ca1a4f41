#pragma once

#include <openssl/ssl.h>

#include <memory>
#include <string>

namespace mail_source {

/// A blocking connection of a client to 127.0.0.1, in the clear or under TLS from its first byte. The
/// certificate is not looked at: this is for measurements. One thread.
class Connection {
 public:
  /// Throws std::runtime_error when it cannot be made.
  Connection(int port, bool tls);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// Throws when the peer has gone.
  void send(const std::string& bytes);
  /// The code of the next reply, of one or more lines.
  int reply();

 private:
  std::string line();

  int socket_ = -1;
  std::unique_ptr<SSL, void (*)(SSL*)> ssl_{nullptr, SSL_free};
  std::string buffer_;
};

}  // namespace mail_source
