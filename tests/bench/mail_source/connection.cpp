#include "mail_source/connection.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <stdexcept>

namespace mail_source {

namespace {

/// One for all connections; no session is taken up again, so each makes a whole handshake.
SSL_CTX* client_context() {
  static SSL_CTX* const context = SSL_CTX_new(TLS_client_method());
  return context;
}

}  // namespace

Connection::Connection(int port, bool tls) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int on = 1;
  ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  const auto* generic = reinterpret_cast<const sockaddr*>(&address);
  if (::connect(socket_, generic, sizeof address) != 0) throw std::runtime_error("no connection");
  if (!tls) return;
  ssl_.reset(SSL_new(client_context()));
  if (SSL_set_fd(ssl_.get(), socket_) != 1 || SSL_connect(ssl_.get()) != 1)
    throw std::runtime_error("no TLS handshake");
}

Connection::~Connection() {
  if (socket_ >= 0) ::close(socket_);
}

void Connection::send(const std::string& bytes) {
  for (std::size_t sent = 0; sent < bytes.size();) {
    const auto left = bytes.size() - sent;
    const auto size = ssl_ ? SSL_write(ssl_.get(), bytes.data() + sent, static_cast<int>(left))
                           : ::send(socket_, bytes.data() + sent, left, MSG_NOSIGNAL);
    if (size <= 0) throw std::runtime_error("connection lost while sending");
    sent += static_cast<std::size_t>(size);
  }
}

std::string Connection::line() {
  std::array<char, 4096> room{};
  while (true) {
    if (const auto end = buffer_.find('\n'); end != std::string::npos) {
      auto found = buffer_.substr(0, end + 1);
      buffer_.erase(0, end + 1);
      return found;
    }
    const auto size = ssl_ ? SSL_read(ssl_.get(), room.data(), static_cast<int>(room.size()))
                           : ::recv(socket_, room.data(), room.size(), 0);
    if (size <= 0) throw std::runtime_error("connection lost while waiting for a reply");
    buffer_.append(room.data(), static_cast<std::size_t>(size));
  }
}

int Connection::reply() {
  auto text = line();
  while (text.size() > 3 && text[3] == '-')
    text = line();
  return std::stoi(text.substr(0, 3));
}

}  // namespace mail_source
