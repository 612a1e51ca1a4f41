#include "relay/net/resolver.hpp"

#include <ares.h>
#include <fcntl.h>
#include <netinet/in.h>

#include <algorithm>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cstring>
#include <map>

namespace relay {

namespace asio = boost::asio;
using boost::system::error_code;

namespace {

constexpr int server_timeout_ms = 2500;
constexpr int server_tries = 3;
constexpr std::chrono::milliseconds tick{250};  // how late a server's time-out may be seen
constexpr std::chrono::seconds settings_age{60};
constexpr std::size_t max_addresses = 16;

using Descriptor = asio::posix::stream_descriptor;

asio::ip::address address_of(const ares_addrinfo_node& node) {
  if (node.ai_family == AF_INET) {
    sockaddr_in ipv4{};
    std::memcpy(&ipv4, node.ai_addr, sizeof ipv4);
    return asio::ip::address_v4{ntohl(ipv4.sin_addr.s_addr)};
  }
  sockaddr_in6 ipv6{};
  std::memcpy(&ipv6, node.ai_addr, sizeof ipv6);
  asio::ip::address_v6::bytes_type bytes{};
  std::memcpy(bytes.data(), &ipv6.sin6_addr, bytes.size());
  return asio::ip::address_v6{bytes, ipv6.sin6_scope_id};
}

HostAddresses addresses_from(int status, const ares_addrinfo* info) {
  HostAddresses result;
  for (const auto* node = info != nullptr ? info->nodes : nullptr; node != nullptr; node = node->ai_next) {
    if (node->ai_family != AF_INET && node->ai_family != AF_INET6) continue;
    const auto address = address_of(*node);
    const bool known = std::find(result.found.begin(), result.found.end(), address) != result.found.end();
    if (!known && result.found.size() < max_addresses) result.found.push_back(address);
  }
  if (!result.found.empty()) return result;
  result.no_such_host =
      status == ARES_SUCCESS || status == ARES_ENOTFOUND || status == ARES_ENODATA || status == ARES_ENONAME;
  result.fault = status == ARES_SUCCESS ? "it has no address" : ares_strerror(status);
  return result;
}

}  // namespace

HostLookup::HostLookup(asio::io_context& context)
    : finished_(context, asio::steady_timer::time_point::max()) {}

asio::awaitable<HostAddresses> HostLookup::wait(std::chrono::milliseconds limit) {
  error_code ignored;
  if (!done_) {
    finished_.expires_after(limit);
    co_await finished_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  }
  if (!done_) result_.fault = "no answer in time";
  done_ = true;
  co_return result_;
}

void HostLookup::cancel() {
  HostAddresses nothing;
  nothing.fault = "broken off";
  finish(std::move(nothing));
}

void HostLookup::finish(HostAddresses result) {
  if (done_) return;
  done_ = true;
  result_ = std::move(result);
  finished_.cancel();
}

/// One set of settings and the queries that were begun with it. c-ares tells which of its sockets it waits
/// for; they are watched through duplicates, so that each side closes its own.
struct Resolver::Channel : std::enable_shared_from_this<Resolver::Channel> {
  struct Watched {
    Descriptor descriptor;
    bool wants_read = false;
    bool wants_write = false;
    bool reading = false;
    bool writing = false;
  };

  explicit Channel(asio::io_context& with) : context(with), timer(with) {}
  ~Channel() {
    if (native != nullptr) ares_destroy(native);
  }
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;

  static std::shared_ptr<Channel> make(asio::io_context& context, const std::string& servers);
  static void socket_state(void* self, ares_socket_t socket, int readable, int writable);
  static void answered(void* lookup, int status, int timeouts, ares_addrinfo* info);

  void watch(ares_socket_t socket, const std::shared_ptr<Watched>& watched);
  void wait(ares_socket_t socket, const std::shared_ptr<Watched>& watched, bool to_read);
  void keep_time();

  asio::io_context& context;
  asio::steady_timer timer;
  ares_channel native = nullptr;
  std::map<ares_socket_t, std::shared_ptr<Watched>> sockets;
  std::chrono::steady_clock::time_point made = std::chrono::steady_clock::now();
  std::size_t under_way = 0;
  bool ticking = false;
};

namespace {

/// What c-ares carries to the answer.
struct Asked {
  std::shared_ptr<HostLookup> lookup;
  std::size_t* under_way;
};

}  // namespace

/// Null when c-ares cannot be set up: out of memory, or without a readable file.
std::shared_ptr<Resolver::Channel> Resolver::Channel::make(asio::io_context& context,
                                                           const std::string& servers) {
  auto made = std::make_shared<Channel>(context);
  ares_options options{};
  options.timeout = server_timeout_ms;
  options.tries = server_tries;
  options.sock_state_cb = &socket_state;
  options.sock_state_cb_data = made.get();
  constexpr int given = ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB;
  if (ares_init_options(&made->native, &options, given) != ARES_SUCCESS) {
    made->native = nullptr;
    return nullptr;
  }
  if (!servers.empty() && ares_set_servers_ports_csv(made->native, servers.c_str()) != ARES_SUCCESS)
    return nullptr;
  return made;
}

void Resolver::Channel::socket_state(void* self, ares_socket_t socket, int readable, int writable) {
  auto& channel = *static_cast<Channel*>(self);
  if (readable == 0 && writable == 0) {
    channel.sockets.erase(socket);
    return;
  }
  auto& watched = channel.sockets[socket];
  if (!watched) {
    // A descriptor that cannot be had is a query that times out.
    const int duplicate = ::fcntl(socket, F_DUPFD_CLOEXEC, 0);
    if (duplicate < 0) {
      channel.sockets.erase(socket);
      return;
    }
    watched = std::make_shared<Watched>(Watched{Descriptor{channel.context, duplicate}});
  }
  watched->wants_read = readable != 0;
  watched->wants_write = writable != 0;
  channel.watch(socket, watched);
}

void Resolver::Channel::watch(ares_socket_t socket, const std::shared_ptr<Watched>& watched) {
  if (watched->wants_read && !watched->reading) wait(socket, watched, true);
  if (watched->wants_write && !watched->writing) wait(socket, watched, false);
}

void Resolver::Channel::wait(ares_socket_t socket, const std::shared_ptr<Watched>& watched, bool to_read) {
  (to_read ? watched->reading : watched->writing) = true;
  auto ready = [weak = weak_from_this(), socket, kept = watched, to_read](error_code error) {
    (to_read ? kept->reading : kept->writing) = false;
    const auto self = weak.lock();
    if (!self || error) return;
    const auto current = self->sockets.find(socket);
    if (current == self->sockets.end() || current->second != kept) return;
    ares_process_fd(self->native, to_read ? socket : ARES_SOCKET_BAD, to_read ? ARES_SOCKET_BAD : socket);
    const auto still = self->sockets.find(socket);
    if (still != self->sockets.end() && still->second == kept) self->watch(socket, kept);
  };
  watched->descriptor.async_wait(to_read ? Descriptor::wait_read : Descriptor::wait_write, std::move(ready));
}

void Resolver::Channel::keep_time() {
  if (ticking || under_way == 0) return;
  ticking = true;
  timer.expires_after(tick);
  timer.async_wait([weak = weak_from_this()](error_code error) {
    const auto self = weak.lock();
    if (!self || error) return;
    self->ticking = false;
    ares_process_fd(self->native, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
    self->keep_time();
  });
}

void Resolver::Channel::answered(void* given, int status, int /*timeouts*/, ares_addrinfo* info) {
  const std::unique_ptr<Asked> asked{static_cast<Asked*>(given)};
  --*asked->under_way;
  asked->lookup->finish(addresses_from(status, info));
  if (info != nullptr) ares_freeaddrinfo(info);
}

Resolver::Resolver(asio::io_context& context, std::string servers)
    : context_(context), servers_(std::move(servers)) {}

Resolver::~Resolver() = default;

std::shared_ptr<HostLookup> Resolver::look_up(const std::string& host) {
  auto lookup = std::make_shared<HostLookup>(context_);
  const bool old = channel_ && std::chrono::steady_clock::now() - channel_->made > settings_age;
  if (old && channel_->under_way == 0) channel_.reset();
  if (!channel_) channel_ = Channel::make(context_, servers_);
  if (!channel_) {
    HostAddresses nothing;
    nothing.fault = "the resolver cannot be set up";
    lookup->finish(std::move(nothing));
    return lookup;
  }
  ares_addrinfo_hints hints{};
  hints.ai_family = AF_UNSPEC;
  auto asked = std::make_unique<Asked>(Asked{lookup, &channel_->under_way});
  ++channel_->under_way;
  // May answer at once.
  ares_getaddrinfo(channel_->native, host.c_str(), nullptr, &hints, &Channel::answered, asked.release());
  channel_->keep_time();
  return lookup;
}

namespace {

class ResolverService : public asio::execution_context::service {
 public:
  static asio::execution_context::id id;

  explicit ResolverService(asio::io_context& context)
      : asio::execution_context::service(context), resolver_(std::make_unique<Resolver>(context)) {}
  Resolver& resolver() { return *resolver_; }

 private:
  void shutdown() override { resolver_.reset(); }

  std::unique_ptr<Resolver> resolver_;
};

asio::execution_context::id ResolverService::id;

}  // namespace

Resolver& resolver_of(asio::io_context& context) {
  return asio::use_service<ResolverService>(context).resolver();
}

}  // namespace relay
