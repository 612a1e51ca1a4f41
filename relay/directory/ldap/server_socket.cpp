#include "relay/directory/ldap/server_socket.hpp"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <memory>

namespace relay::ldap {
namespace {

int milliseconds_until(Deadline deadline) {
  const auto left =
      std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
  return static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 3'600'000));
}

/// 0, or the number of what went wrong.
int finish_connecting(int socket, const addrinfo& address, Deadline deadline) {
  if (::connect(socket, address.ai_addr, address.ai_addrlen) == 0) return 0;
  if (errno != EINPROGRESS) return errno;
  pollfd waiting{socket, POLLOUT, 0};
  int ready = 0;
  do {
    ready = ::poll(&waiting, 1, milliseconds_until(deadline));
  } while (ready < 0 && errno == EINTR);
  if (ready == 0) return ETIMEDOUT;
  int error = 0;
  socklen_t size = sizeof error;
  if (::getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &size) != 0) return errno;
  return error;
}

std::variant<int, SocketFault> connect_to(const addrinfo& address, Deadline deadline) {
  const int socket = ::socket(address.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (socket < 0) return SocketFault{std::strerror(errno)};
  if (const int error = finish_connecting(socket, address, deadline); error != 0) {
    ::close(socket);
    return SocketFault{std::strerror(error)};
  }
  const int on = 1;
  ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  ::setsockopt(socket, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
  ::fcntl(socket, F_SETFL, ::fcntl(socket, F_GETFL) & ~O_NONBLOCK);
  return socket;
}

}  // namespace

std::variant<int, SocketFault> connect_socket(const ServerUrl& server, Deadline deadline) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int failure = ::getaddrinfo(server.host.c_str(), server.port.c_str(), &hints, &found);
  if (failure != 0) return SocketFault{server.host + ": " + ::gai_strerror(failure)};
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> kept{found, &::freeaddrinfo};
  std::variant<int, SocketFault> made{SocketFault{"it has no address"}};
  int left = 0;
  for (const auto* address = found; address != nullptr; address = address->ai_next)
    ++left;
  for (const auto* address = found; address != nullptr && !std::holds_alternative<int>(made);
       address = address->ai_next, --left) {
    const auto now = std::chrono::steady_clock::now();
    made = connect_to(*address, now + (deadline - now) / left);
  }
  return made;
}

Watchdog::Watchdog() : thread_([this] { work(); }) {}

Watchdog::~Watchdog() {
  {
    const std::lock_guard lock{mutex_};
    ending_ = true;
    wake_.notify_one();
  }
  thread_.join();
}

void Watchdog::work() {
  std::unique_lock lock{mutex_};
  while (!ending_) {
    if (socket_ < 0) {
      wake_.wait(lock);
    } else if (wake_.wait_until(lock, deadline_) == std::cv_status::timeout && socket_ >= 0 &&
               std::chrono::steady_clock::now() >= deadline_) {
      ::shutdown(socket_, SHUT_RDWR);
      socket_ = -1;
    }
  }
}

Watchdog::Watch::Watch(Watchdog& dog, int socket, Deadline deadline) : dog_(dog) {
  const std::lock_guard lock{dog_.mutex_};
  dog_.socket_ = socket;
  dog_.deadline_ = deadline;
  dog_.wake_.notify_one();
}

Watchdog::Watch::~Watch() {
  const std::lock_guard lock{dog_.mutex_};
  dog_.socket_ = -1;
}

}  // namespace relay::ldap
