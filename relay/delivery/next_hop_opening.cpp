#include <boost/asio/ip/tcp.hpp>
#include <sstream>

#include "metrics/log.hpp"
#include "relay/delivery/next_hop_session.hpp"
#include "relay/delivery/outcome.hpp"

namespace relay {

namespace asio = boost::asio;
using boost::system::error_code;
using Tls = NextHop::Tls;

namespace {

smtp::ClientSettings settings_for(const NextHop& hop, const std::string& hub_name,
                                  const NextHopPolicy& policy, Tls tls) {
  using StartTls = smtp::ClientSettings::StartTls;
  smtp::ClientSettings settings;
  settings.protocol = hop.protocol == NextHop::Protocol::lmtp ? smtp::Protocol::lmtp : smtp::Protocol::smtp;
  settings.hub_name = hub_name;
  if (tls == Tls::starttls) settings.start_tls = StartTls::required;
  if (tls == Tls::opportunistic) settings.start_tls = StartTls::offered;
  settings.credentials = policy.credentials;
  settings.chunking = policy.chunking;
  return settings;
}

std::string text_of(const asio::ip::tcp::endpoint& endpoint) {
  std::ostringstream text;
  text << endpoint;
  return text.str();
}

}  // namespace

NextHopSession::NextHopSession(asio::io_context& context, NextHop hop, std::string hub_name,
                               NextHopPolicy policy)
    : context_(context),
      hop_(std::move(hop)),
      hub_name_(std::move(hub_name)),
      policy_(std::move(policy)),
      connection_(std::make_shared<Connection>(asio::ip::tcp::socket{context})),
      machine_(settings_for(hop_, hub_name_, policy_, hop_.tls)),
      buffer_(8 * 1024) {}

asio::awaitable<std::string> NextHopSession::open() {
  const auto tls = tls_of(hop_, policy_);
  give_up_at_ = std::chrono::steady_clock::now() + policy_.patience.open;
  const auto endpoints = co_await look_up();
  bool opened = false;
  for (const auto& endpoint : endpoints) {
    opened = co_await open_one(endpoint, tls);
    // What cannot do what it offers gets its mail as before STARTTLS was there (RFC 7435), unless more is
    // demanded.
    if (handshake_failed_ && tls == Tls::opportunistic && !cut_)
      opened = co_await open_one(endpoint, Tls::none);
    if (opened || cut_ || std::chrono::steady_clock::now() >= give_up_at_) break;
  }
  if (opened && !cut_) {
    log_connected();
    co_return std::string{};
  }
  connection_->cut();
  co_return reply_text(failure_);
}

asio::awaitable<std::vector<asio::ip::tcp::endpoint>> NextHopSession::look_up() {
  error_code no_literal;
  std::vector<asio::ip::tcp::endpoint> endpoints;
  const auto literal = asio::ip::make_address(hop_.host, no_literal);
  if (!no_literal) {
    endpoints.emplace_back(literal, hop_.port);
    co_return endpoints;
  }
  lookup_ = resolver_of(context_).look_up(hop_.host);
  const auto addresses = co_await lookup_->wait(policy_.patience.look_up);
  // An administrator has named the host: that it does not exist is a mistake to be mended, not a reason to
  // bounce.
  failure_ = {451, addresses.no_such_host ? "4.4.4" : "4.4.3",
              "cannot look up " + hop_.host + ": " + addresses.fault};
  for (const auto& address : addresses.found)
    endpoints.emplace_back(address, hop_.port);
  co_return endpoints;
}

asio::awaitable<bool> NextHopSession::open_one(asio::ip::tcp::endpoint endpoint, Tls tls) {
  const std::vector<asio::ip::tcp::endpoint> only{endpoint};
  handshake_failed_ = false;
  connection_ = std::make_shared<Connection>(asio::ip::tcp::socket{context_});
  machine_ = smtp::ClientMachine{settings_for(hop_, hub_name_, policy_, tls)};
  replies_seen_ = 0;
  const auto error = co_await connection_->connect(only, policy_.patience.connect);
  if (error || cut_) {
    failure_ = {451, "4.4.1", "cannot connect to " + text_of(endpoint) + ": " + error.message()};
    co_return false;
  }
  if (tls == Tls::implicit) co_await secure();
  const auto turn = co_await drive(nullptr);
  if (turn == Turn::ready) co_return true;
  failure_.text = text_of(endpoint) + ": " + failure_.text;
  connection_->cut();
  co_return false;
}

asio::awaitable<void> NextHopSession::secure() {
  const auto name = policy_.certificate_name.empty() ? hop_.host : policy_.certificate_name;
  const auto error = co_await connection_->handshake_as_client(policy_.tls, name, policy_.patience.handshake);
  if (error) {
    handshake_failed_ = true;
    machine_.disconnected(smtp::Reply{454, "4.7.5", "TLS handshake failed: " + connection_->tls_fault()});
    co_return;
  }
  const auto* session = connection_->tls();
  const bool proved = has_proved_itself(*session, policy_);
  if (policy_.verified && !proved) {
    const auto why = policy_.fingerprints.empty()
                         ? session->peer_fault
                         : "certificate has an unknown fingerprint " + session->peer_fingerprint;
    machine_.disconnected(smtp::Reply{454, "4.7.5", "TLS: " + why});
    co_return;
  }
  machine_.secured(proved);
}

void NextHopSession::log_connected() const {
  const auto* session = connection_->tls();
  std::string tls{"none"};
  if (session != nullptr)
    tls = session->protocol + (has_proved_itself(*session, policy_) ? " verified" : " unverified");
  metrics::log_info("connected", {{"next_hop", to_string(hop_)},
                                  {"address", text_of(connection_->remote())},
                                  {"tls", tls},
                                  {"authenticated", policy_.credentials ? "yes" : "no"}});
}

}  // namespace relay
