#include "relay/directory/ldap/connection.hpp"

#include <fcntl.h>
#include <ldap.h>
#include <openldap.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>

#include "relay/directory/address.hpp"

namespace relay::ldap {
namespace {

constexpr int most_entries = 3;
constexpr std::chrono::milliseconds least_wait{1};
constexpr const char* system_certificates = "/etc/ssl/certs/ca-certificates.crt";

timeval left_until(Deadline deadline) {
  auto left =
      std::chrono::duration_cast<std::chrono::microseconds>(deadline - std::chrono::steady_clock::now());
  left = std::max<std::chrono::microseconds>(left, least_wait);
  timeval time{};
  time.tv_sec = left.count() / 1'000'000;
  time.tv_usec = left.count() % 1'000'000;
  return time;
}

/// The code in words, with what library and server add to it (why a certificate is not trusted, say).
std::string in_words(LDAP* ldap, int code) {
  std::string text{ldap_err2string(code)};
  char* more = nullptr;
  ldap_get_option(ldap, LDAP_OPT_DIAGNOSTIC_MESSAGE, &more);
  if (more != nullptr && *more != '\0') text += std::string{": "} + more;
  ldap_memfree(more);
  return text;
}

int scope_of(Scope scope) {
  switch (scope) {
    case Scope::base:
      return LDAP_SCOPE_BASE;
    case Scope::one:
      return LDAP_SCOPE_ONELEVEL;
    case Scope::subtree:
      break;
  }
  return LDAP_SCOPE_SUBTREE;
}

AttributeValues values_of(LDAP* ldap, LDAPMessage* entry) {
  AttributeValues values;
  BerElement* place = nullptr;
  for (char* name = ldap_first_attribute(ldap, entry, &place); name != nullptr;
       name = ldap_next_attribute(ldap, entry, place)) {
    auto& texts = values[lower_case(name)];
    if (berval** all = ldap_get_values_len(ldap, entry, name)) {
      for (berval** value = all; *value != nullptr; ++value)
        texts.emplace_back((*value)->bv_val, (*value)->bv_len);
      ldap_value_free_len(all);
    }
    ldap_memfree(name);
  }
  ber_free(place, 0);
  return values;
}

std::vector<AttributeValues> entries_of(LDAP* ldap, LDAPMessage* result) {
  std::vector<AttributeValues> entries;
  for (auto* entry = ldap_first_entry(ldap, result); entry != nullptr; entry = ldap_next_entry(ldap, entry))
    entries.push_back(values_of(ldap, entry));
  return entries;
}

/// Whether the connection is of no use any more: the library's own codes are negative.
bool ends_connection(int code) {
  return code < 0 || code == LDAP_UNAVAILABLE || code == LDAP_STRONG_AUTH_REQUIRED ||
         code == LDAP_INSUFFICIENT_ACCESS;
}

}  // namespace

struct Connection::Handle {
  LDAP* ldap = nullptr;
  int socket = -1;  ///< of our own: the library closes its duplicate whenever it likes, this one is watched
  Handle() = default;
  ~Handle() {
    if (ldap != nullptr) ldap_unbind_ext_s(ldap, nullptr, nullptr);
    if (socket >= 0) ::close(socket);
  }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
};

struct Connection::Reply {
  SearchAnswer answer;
  bool was_closed = false;  ///< the server had hung up before
};

Connection::Connection(const Settings& settings) : settings_(settings) {}
Connection::~Connection() = default;

void Connection::drop() {
  handle_.reset();
}

/// What went wrong; empty when there is a connection. A server that does not answer leaves time for the next.
std::string Connection::connect(Deadline deadline) {
  std::string failures;
  for (std::size_t i = 0; i < settings_.urls.size(); ++i) {
    const auto now = std::chrono::steady_clock::now();
    const auto share = (deadline - now) / static_cast<int>(settings_.urls.size() - i);
    auto failure = connect_to(settings_.urls[i], now + share);
    if (failure.empty()) return failure;
    failures += (failures.empty() ? "" : "; ") + settings_.urls[i] + ": " + failure;
  }
  return failures;
}

std::string Connection::connect_to(const std::string& url, Deadline deadline) {
  const auto server = server_url_from(url);
  if (!server) return "is no URL of a server";
  const auto connected = connect_socket(*server, deadline);
  if (const auto* fault = std::get_if<SocketFault>(&connected)) return fault->text;
  auto handle = std::make_unique<Handle>();
  handle->socket = std::get<int>(connected);
  const int duplicate = ::fcntl(handle->socket, F_DUPFD_CLOEXEC, 0);
  if (duplicate < 0) return std::strerror(errno);
  if (const int code = ldap_init_fd(duplicate, LDAP_PROTO_TCP, url.c_str(), &handle->ldap);
      code != LDAP_SUCCESS) {
    ::close(duplicate);
    handle->ldap = nullptr;
    return ldap_err2string(code);
  }
  auto* ldap = handle->ldap;
  const int version = LDAP_VERSION3;
  const auto left = left_until(deadline);
  ldap_set_option(ldap, LDAP_OPT_PROTOCOL_VERSION, &version);
  ldap_set_option(ldap, LDAP_OPT_REFERRALS, LDAP_OPT_OFF);
  ldap_set_option(ldap, LDAP_OPT_RESTART, LDAP_OPT_ON);
  ldap_set_option(ldap, LDAP_OPT_TIMEOUT, &left);
  const Watchdog::Watch watch{watchdog_, handle->socket, deadline};
  if (auto failure = secure(*handle, *server); !failure.empty()) return failure;
  // Anonymous, too: who may not bind is told here, not by the first search.
  berval password{};
  password.bv_len = settings_.bind_password.size();
  password.bv_val = const_cast<char*>(settings_.bind_password.data());
  const int code = ldap_sasl_bind_s(ldap, settings_.bind_dn.c_str(), LDAP_SASL_SIMPLE, &password, nullptr,
                                    nullptr, nullptr);
  if (code != LDAP_SUCCESS) return "bind: " + in_words(ldap, code);
  handle_ = std::move(handle);
  return {};
}

/// TLS, where it is asked for.
std::string Connection::secure(Handle& handle, const ServerUrl& server) {
  if (!server.tls && !settings_.start_tls) return {};
  auto* ldap = handle.ldap;
  const int demand = LDAP_OPT_X_TLS_DEMAND;
  const int client = 0;
  const auto ca = settings_.ca.empty() ? std::string{system_certificates} : settings_.ca.string();
  ldap_set_option(ldap, LDAP_OPT_X_TLS_REQUIRE_CERT, &demand);
  ldap_set_option(ldap, LDAP_OPT_X_TLS_CACERTFILE, ca.c_str());
  if (ldap_set_option(ldap, LDAP_OPT_X_TLS_NEWCTX, &client) != LDAP_OPT_SUCCESS)
    return "the certificates in " + ca + " cannot be used";
  const int code = server.tls ? ldap_install_tls(ldap) : ldap_start_tls_s(ldap, nullptr, nullptr);
  if (code != LDAP_SUCCESS) return "TLS: " + in_words(ldap, code);
  return {};
}

Connection::Reply Connection::ask(const std::string& filter, Deadline deadline) {
  auto* ldap = handle_->ldap;
  std::vector<char*> attributes;
  const auto& names = settings_.attributes;
  for (const auto* name :
       {&names.address, &names.storage_group, &names.route, &names.mailbox, &names.alias}) {
    if (!name->empty()) attributes.push_back(const_cast<char*>(name->c_str()));
  }
  attributes.push_back(nullptr);
  auto left = left_until(deadline);
  LDAPMessage* result = nullptr;
  std::optional<Watchdog::Watch> watch;
  watch.emplace(watchdog_, handle_->socket, deadline);
  const int code = ldap_search_ext_s(ldap, settings_.base.c_str(), scope_of(settings_.scope), filter.c_str(),
                                     attributes.data(), 0, nullptr, nullptr, &left, most_entries, &result);
  Reply reply;
  if (code == LDAP_SUCCESS) {
    auto entries = entries_of(ldap, result);
    if (entries.empty() && ldap_count_references(ldap, result) > 0) {
      reply.answer =
          SearchFailure{"the server refers to another one: search below a base that it holds itself"};
    } else {
      reply.answer = std::move(entries);
    }
  } else {
    reply.answer = SearchFailure{in_words(ldap, code), ends_connection(code)};
    // Behind the deadline it was the watchdog that hung up.
    reply.was_closed = code == LDAP_SERVER_DOWN && std::chrono::steady_clock::now() < deadline;
  }
  ldap_msgfree(result);
  watch.reset();
  if (ends_connection(code)) handle_.reset();
  return reply;
}

SearchAnswer Connection::search(const std::string& filter, Deadline deadline) {
  const bool kept = handle_ != nullptr;
  for (int i = 0; i < 2; ++i) {
    if (handle_ == nullptr) {
      auto failure = connect(deadline);
      if (!failure.empty()) return SearchFailure{std::move(failure), true};
    }
    auto reply = ask(filter, deadline);
    if (!(reply.was_closed && kept && i == 0)) return std::move(reply.answer);
  }
  return SearchFailure{"the server hangs up", true};
}

}  // namespace relay::ldap
