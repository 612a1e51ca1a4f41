#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace relay {

/// Reads the header with which a proxy says for whom it has connected (the PROXY protocol, versions 1 and 2),
/// never a byte more: what follows may be a TLS handshake. Not thread-safe.
///
/// Operation: read `wanted()` bytes, no more, and give what came to `feed`, until `wanted()` is 0.
class ProxyHeaderReader {
 public:
  enum class State : std::uint8_t {
    reading,
    done,
    malformed,  ///< not a PROXY header: the connection cannot go on
  };

  std::size_t wanted() const { return wanted_; }
  /// At most `wanted()` bytes.
  void feed(std::string_view bytes);
  State state() const { return state_; }
  /// The client for whom the proxy speaks; nothing when it speaks for itself (`LOCAL`) or does not know
  /// (`UNKNOWN`, an address family that is not IP).
  const std::optional<boost::asio::ip::tcp::endpoint>& client() const { return client_; }

 private:
  void fail();
  void finish();
  void read_text();
  void read_binary();

  std::string bytes_;
  std::size_t wanted_ = 12;  // both versions are at least that long, and can then be told apart
  State state_ = State::reading;
  std::optional<boost::asio::ip::tcp::endpoint> client_;
};

}  // namespace relay
