#pragma once

#include <boost/asio/ip/address.hpp>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <unordered_map>

namespace relay {

/// What one client may do; 0 stands for no limit. A client is an IPv4 address or an IPv6 /64: whoever has one
/// address of such a network usually has them all.
struct ClientLimitSettings {
  std::uint32_t connections = 100;          ///< at the same time
  std::uint32_t messages_per_minute = 0;    ///< MAIL commands; a minute's worth may come at once
  std::uint32_t recipients_per_minute = 0;  ///< RCPT commands, likewise
  std::uint32_t auth_failures = 20;         ///< failed AUTH in ten minutes; then none is tried any more

  bool operator==(const ClientLimitSettings&) const = default;
};

/// What each client does at the moment. Thread-safe. Clients that are gone and quiet are forgotten; memory is
/// bounded, and when it is used up the quiet ones are forgotten early.
class ClientLimits {
 public:
  using Time = std::chrono::steady_clock::time_point;
  using Address = boost::asio::ip::address;

  explicit ClientLimits(std::size_t max_clients = 100'000) : max_clients_(max_clients) {}

  /// Counts one more connection, or says false when the client has `limit` already. Each true is paid back
  /// with `close`.
  bool open(const Address& client, std::uint32_t limit);
  void close(const Address& client);

  enum class Kind : std::uint8_t { message, recipient };
  /// Whether the client may do one more of `kind` now.
  bool take(const Address& client, Kind kind, std::uint32_t per_minute, Time now);

  void auth_failed(const Address& client, Time now);
  /// Failures of the last ten minutes, older ones faded.
  bool auth_allowed(const Address& client, std::uint32_t limit, Time now);

  std::size_t clients() const;

 private:
  /// What has been used up of an allowance; it comes back evenly over time.
  struct Level {
    double used = 0;
    Time at{};
    /// Brings `used` to `now`; `per_second` comes back.
    void ebb(double per_second, Time now);
  };
  struct Client {
    std::uint32_t connections = 0;
    Level messages;
    Level recipients;
    Level failures;
    Time seen{};
  };
  static std::uint64_t key_of(const Address& client);
  Client& client_of(const Address& client, Time now);
  void forget_quiet(Time now);

  const std::size_t max_clients_;
  mutable std::mutex mutex_;
  std::unordered_map<std::uint64_t, Client> clients_;
  std::size_t sweep_at_ = 1024;
};

}  // namespace relay
