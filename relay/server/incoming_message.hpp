#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include "dumpster/store.hpp"
#include "relay/queue/fresh_bodies.hpp"
#include "relay/smtp/header_scanner.hpp"

namespace relay {

/// A message while it is received: gathers bytes into chunks, writes full chunks to the store, and at last
/// makes all of it durable. Holds one chunk in memory, and whatever the caller feeds at once. What is not
/// accepted is taken out of the store.
class IncomingMessage {
 public:
  /// `received_field` goes on top. `hub_name`: whose passes are counted.
  IncomingMessage(dumpster::Store& store, FreshBodies& bodies, dumpster::Message message,
                  std::string received_field, std::string hub_name);
  ~IncomingMessage();
  IncomingMessage(const IncomingMessage&) = delete;
  IncomingMessage& operator=(const IncomingMessage&) = delete;

  /// Message-ID and Date are added below the Received field where the header has none. A header that is
  /// longer than a chunk stays as it is.
  void complete_header() { complete_header_ = true; }

  /// Takes bytes of the message, transparency removed.
  void add(std::string_view bytes);
  /// True when a chunk is full and more has come behind it.
  bool chunk_is_full() const { return pending_.size() > dumpster::body_chunk_size; }
  /// Writes full chunks; the client is not read meanwhile, so a slow disk slows the client.
  boost::asio::awaitable<dumpster::Result<dumpster::Done>> write_full_chunks();
  /// Makes the message durable, with the envelope that it has now. What is not durable within `limit` is
  /// given up with `unavailable`, and taken back should it become durable later: nothing of it is delivered,
  /// unless the hub is killed in between.
  boost::asio::awaitable<dumpster::Result<dumpster::Done>> accept(std::chrono::milliseconds limit);

  /// Where it comes from, for people who trace it.
  void came_from(std::string origin) { origin_ = std::move(origin); }

  dumpster::Message& message() { return message_; }
  const dumpster::Message& message() const { return message_; }
  /// All of the body once it is accepted; nothing when it is to be read from the store.
  std::shared_ptr<const FreshBody> fresh_body() const { return fresh_body_; }
  const smtp::HeaderScanner& header() const { return scanner_; }

 private:
  struct Commit;
  boost::asio::awaitable<dumpster::Result<dumpster::Done>> append(std::string chunk);
  boost::asio::awaitable<dumpster::Result<dumpster::Done>> commit(dumpster::NewMessage made,
                                                                  std::chrono::milliseconds limit);
  void add_missing_fields();
  void keep_fresh(const std::string& chunk);

  dumpster::Store& store_;
  dumpster::Message message_;
  std::string hub_name_;
  smtp::HeaderScanner scanner_;
  std::string pending_;
  std::string origin_;
  std::size_t received_size_;  ///< of the Received field on top of `pending_`
  bool complete_header_ = false;
  std::string added_message_id_;
  std::shared_ptr<FreshBody> fresh_body_;
  bool accepted_ = false;
};

}  // namespace relay
