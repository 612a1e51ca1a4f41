#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "dumpster/error.hpp"
#include "dumpster/store.hpp"
#include "recovery/http/router.hpp"

namespace boost::asio::ssl {
class context;
}

namespace recovery::http {

/// HTTPS. With `client_ca` a client needs a certificate of that authority.
struct TlsSettings {
  std::filesystem::path certificate;  ///< PEM, with its chain
  std::filesystem::path key;          ///< PEM
  std::filesystem::path client_ca;    ///< PEM; empty: no client certificates

  bool operator==(const TlsSettings&) const = default;
};

struct ServerSettings {
  /// A further one takes the place of the one that has waited longest for a request; it is closed at once
  /// when all are being answered.
  std::size_t max_connections = 256;
  std::uint64_t large_bodies = std::uint64_t{32} << 20U;  ///< bytes of bodies above 64 KiB at one time
  std::uint32_t max_header = 16 * 1024;
  std::chrono::milliseconds idle{60'000};  ///< between two requests
  std::chrono::milliseconds reading{
      30'000};  ///< one request, TLS handshake included, from its first byte to its last
  std::chrono::milliseconds writing{60'000};  ///< one write
  std::function<void(int status)> answered;   ///< called for each answer; may be empty
};

/// A small HTTP/1.1 server. It runs on the executor that it is given, which must be that of an io_context run
/// by one thread; all calls are made on that thread, or while it does not run.
///
/// Faults of a request are answered with problem documents: `400`, `405`, `408`, `413`, `431`; behind these
/// but 405 the connection is closed.
class Server {
 public:
  Server(boost::asio::any_io_executor executor, std::shared_ptr<const Router> router,
         ServerSettings settings = {});
  /// Stops at once; requests under way are cut.
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  /// `address`: `127.0.0.1:8025` or `[::1]:8025`; port 0 takes a free one. Gives the port.
  dumpster::Result<std::uint16_t> listen_tcp(const std::string& address);
  /// The same with HTTPS.
  dumpster::Result<std::uint16_t> listen_tls(const std::string& address, const TlsSettings& tls);
  /// Connections that come from now on to the ports with HTTPS are given this (`make_tls_context`).
  void renew_tls(const std::shared_ptr<boost::asio::ssl::context>& tls);
  /// A socket file of mode 0600. A file that a killed server left behind is replaced; one on which somebody
  /// answers, and anything that is not a socket, is refused. Only root and the user of this process may
  /// connect.
  dumpster::Result<dumpster::Done> listen_unix(const std::filesystem::path& path);

  /// Accepts nothing more, closes idle connections, lets requests under way end within `bound` and cuts the
  /// rest.
  boost::asio::awaitable<void> stop(std::chrono::milliseconds bound);

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace recovery::http
