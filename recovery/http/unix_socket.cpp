#include "recovery/http/unix_socket.hpp"

#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>
#include <optional>

namespace recovery::http {
namespace {

using Protocol = boost::asio::local::stream_protocol;
using boost::system::error_code;

dumpster::Error failed(const std::filesystem::path& path, std::string_view why) {
  return {dumpster::Fault::unavailable, "cannot listen on " + path.string() + ": " + std::string{why}};
}

/// Removes what a server that is no more left behind.
std::optional<dumpster::Error> make_room(const boost::asio::any_io_executor& executor,
                                         const std::filesystem::path& path) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0) {
    if (errno == ENOENT) return std::nullopt;
    return failed(path, std::strerror(errno));
  }
  if (!S_ISSOCK(status.st_mode)) return failed(path, "there is something that is not a socket");
  Protocol::socket probe{executor};
  error_code error;
  probe.connect(Protocol::endpoint{path.string()}, error);
  if (!error) return failed(path, "another server answers there");
  if (error != boost::asio::error::connection_refused) return failed(path, error.message());
  if (::unlink(path.c_str()) != 0) return failed(path, std::strerror(errno));
  return std::nullopt;
}

}  // namespace

dumpster::Result<Protocol::acceptor> open_unix_acceptor(const boost::asio::any_io_executor& executor,
                                                        const std::filesystem::path& path) {
  if (path.empty() || path.string().size() >= sizeof(sockaddr_un::sun_path)) {
    return failed(path, "the path of a socket has 1 to 107 characters");
  }
  if (auto fault = make_room(executor, path)) return *fault;
  Protocol::acceptor acceptor{executor};
  error_code error;
  acceptor.open(Protocol{}, error);
  // The mode is set on the descriptor before the file exists: at no instant may others connect.
  if (!error && ::fchmod(acceptor.native_handle(), S_IRUSR | S_IWUSR) != 0) {
    error.assign(errno, boost::system::system_category());
  }
  if (!error) acceptor.bind(Protocol::endpoint{path.string()}, error);
  if (!error && ::chmod(path.c_str(), S_IRUSR | S_IWUSR) != 0)
    error.assign(errno, boost::system::system_category());
  if (!error) acceptor.listen(boost::asio::socket_base::max_listen_connections, error);
  if (error) return failed(path, error.message());
  return acceptor;
}

bool is_own_or_root(Protocol::socket& socket) {
  ucred peer{};
  socklen_t size = sizeof peer;
  if (::getsockopt(socket.native_handle(), SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return false;
  return peer.uid == 0 || peer.uid == ::geteuid();
}

}  // namespace recovery::http
