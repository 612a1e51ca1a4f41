#pragma once

#include <sys/socket.h>

#include <atomic>
#include <boost/asio/buffer.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "relay/net/tls_context.hpp"

/// One connection of a `ScriptedHop`, seen from the next hop. Nothing throws: at the end of the connection
/// everything is said into the void, and nothing more is heard.
class HopConnection {
 public:
  HopConnection(boost::asio::ip::tcp::socket& socket, std::vector<std::string>& heard, std::mutex& mutex)
      : socket_(socket), heard_(heard), mutex_(mutex) {}

  void say(std::string_view text) {
    boost::system::error_code error;
    if (tls_) {
      boost::asio::write(*tls_, boost::asio::buffer(text), error);
    } else {
      boost::asio::write(socket_, boost::asio::buffer(text), error);
    }
    if (error) ended_ = true;
  }
  bool ended() const { return ended_; }

  /// The next line without its end; empty at the end of the connection.
  std::string hear() {
    while (unread_.find("\r\n") == std::string::npos && read_more()) {
    }
    const auto end = unread_.find("\r\n");
    if (end == std::string::npos) return {};
    auto line = unread_.substr(0, end);
    unread_.erase(0, end + 2);
    const std::lock_guard lock{mutex_};
    heard_.push_back((tls_ ? "TLS " : "") + line);
    return line;
  }
  std::string hear_octets(std::size_t count) {
    while (unread_.size() < count && read_more()) {
    }
    auto octets = unread_.substr(0, count);
    unread_.erase(0, count);
    return octets;
  }
  std::string hear_data() {
    std::string data;
    for (auto line = hear(); line != "." && !ended_; line = hear())
      data += line + "\r\n";
    return data;
  }
  /// The handshake; false when it failed.
  bool secure(const relay::TlsContext& context) {
    boost::system::error_code error;
    unread_.clear();
    tls_.emplace(socket_, *context);
    tls_->handshake(boost::asio::ssl::stream_base::server, error);
    if (error) ended_ = true;
    return !error;
  }
  SSL* native() { return tls_->native_handle(); }
  void end() {
    boost::system::error_code ignored;
    socket_.shutdown(boost::asio::ip::tcp::socket::shutdown_both, ignored);
  }

 private:
  bool read_more() {
    boost::system::error_code error;
    std::string piece(4096, '\0');
    const auto size = tls_ ? tls_->read_some(boost::asio::buffer(piece), error)
                           : socket_.read_some(boost::asio::buffer(piece), error);
    if (error) ended_ = true;
    unread_.append(piece, 0, size);
    return !error;
  }

  boost::asio::ip::tcp::socket& socket_;
  std::vector<std::string>& heard_;
  std::mutex& mutex_;
  std::optional<boost::asio::ssl::stream<boost::asio::ip::tcp::socket&>> tls_;
  std::string unread_;
  bool ended_ = false;
};

/// A next hop on loopback that plays a script on each connection, each in a thread of its own.
class ScriptedHop {
 public:
  using Script = std::function<void(HopConnection&)>;

  explicit ScriptedHop(Script script)
      : script_(std::move(script)),
        acceptor_(context_, {boost::asio::ip::make_address("127.0.0.1"), 0}),
        thread_([this] { accept(); }) {}
  ~ScriptedHop() {
    boost::system::error_code ignored;
    stopping_ = true;
    boost::asio::ip::tcp::socket knock{context_};
    knock.connect(acceptor_.local_endpoint(), ignored);
    thread_.join();
    for (const auto& peer : peers_)
      ::shutdown(peer->socket.native_handle(), SHUT_RDWR);
    for (const auto& peer : peers_)
      peer->thread.join();
  }
  ScriptedHop(const ScriptedHop&) = delete;
  ScriptedHop& operator=(const ScriptedHop&) = delete;

  std::uint16_t port() const { return acceptor_.local_endpoint().port(); }
  int connections() const { return connections_; }
  /// All lines heard so far; those under TLS begin with `TLS `.
  std::vector<std::string> heard() const {
    const std::lock_guard lock{mutex_};
    return heard_;
  }

 private:
  struct Peer {
    boost::asio::ip::tcp::socket socket;
    std::thread thread;
  };

  void accept() {
    while (true) {
      boost::asio::ip::tcp::socket socket{context_};
      acceptor_.accept(socket);
      if (stopping_) return;
      ++connections_;
      auto& peer = *peers_.emplace_back(new Peer{std::move(socket), {}});
      peer.thread = std::thread([this, &peer] {
        HopConnection connection{peer.socket, heard_, mutex_};
        script_(connection);
        // The client sees the end; the socket itself is closed when nobody can touch it any more.
        ::shutdown(peer.socket.native_handle(), SHUT_RDWR);
      });
    }
  }

  Script script_;
  mutable std::mutex mutex_;
  std::vector<std::string> heard_;
  boost::asio::io_context context_{1};
  std::vector<std::unique_ptr<Peer>> peers_;
  std::atomic<bool> stopping_{false};
  std::atomic<int> connections_{0};
  boost::asio::ip::tcp::acceptor acceptor_;
  std::thread thread_;
};
