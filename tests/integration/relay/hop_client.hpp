#pragma once

#include <boost/asio/co_spawn.hpp>
#include <catch2/catch.hpp>
#include <memory>
#include <string>

#include "relay/delivery/next_hop_session.hpp"
#include "tests/integration/recovery/fake_store.hpp"

/// What a policy without rules is made of.
inline relay::NextHopPolicy open_policy() {
  relay::ClientTlsSettings settings;
  settings.verify = false;
  auto made = relay::make_client_tls(settings);
  REQUIRE(std::holds_alternative<relay::TlsContext>(made));
  relay::NextHopPolicy policy;
  policy.tls = std::get<relay::TlsContext>(made);
  return policy;
}

inline std::shared_ptr<const relay::FreshBody> body_in_memory(const std::string& body) {
  auto kept = relay::FreshBodies{1 << 20}.begin();
  REQUIRE(kept->add(body));
  return kept;
}

/// One session with a next hop, run to the end of each call.
class HopClient {
 public:
  HopClient(const std::string& url, relay::NextHopPolicy policy)
      : session_(context_, *relay::next_hop_from(url), "hub1.example.test", std::move(policy)) {}

  std::string open() { return run(session_.open()); }
  relay::TransactionEnd send(const std::string& body,
                             relay::smtp::ClientTransaction transaction = one_recipient()) {
    dumpster::Message message;
    message.size = body.size();
    message.chunks = 1;
    relay::BodySource source{store_, message, "", body_in_memory(body)};
    return run(session_.transact(std::move(transaction), source));
  }
  relay::NextHopSession& session() { return session_; }
  boost::asio::io_context& context() { return context_; }

  static relay::smtp::ClientTransaction one_recipient() {
    relay::smtp::ClientTransaction transaction;
    transaction.sender = "sender@example.test";
    transaction.recipients.push_back({"alice@example.test", "", 0});
    return transaction;
  }

 private:
  template <class T>
  T run(boost::asio::awaitable<T> call) {
    T result{};
    boost::asio::co_spawn(context_, std::move(call), [&](std::exception_ptr failure, T value) {
      if (failure) std::rethrow_exception(failure);
      result = std::move(value);
      context_.stop();
    });
    context_.run();
    context_.restart();
    return result;
  }

  boost::asio::io_context context_{1};
  recovery::FakeStore store_;
  relay::NextHopSession session_;
};
