#pragma once

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <memory>
#include <string>

#include "dumpster/store.hpp"
#include "relay/queue/fresh_bodies.hpp"

namespace relay {

/// The bytes of one message for one transaction: the id field where there is one, then the body, chunk by
/// chunk, from memory while it is fresh and from the store otherwise. Memory is bounded by one chunk.
class BodySource {
 public:
  BodySource(dumpster::Store& store, const dumpster::Message& message, std::string id_field,
             std::shared_ptr<const FreshBody> fresh_body)
      : store_(&store),
        message_(message.key),
        size_(message.size),
        chunks_(message.chunks),
        id_field_(std::move(id_field)),
        body_(std::move(fresh_body)) {}

  /// The next bytes: at least one while not `finished`.
  boost::asio::awaitable<dumpster::Result<std::string>> next();
  /// True when `next` has given the last bytes.
  bool finished() const { return next_chunk_ >= chunks_; }
  /// Bytes in all, id field included.
  std::uint64_t size() const { return id_field_.size() + size_; }

 private:
  dumpster::Store* store_;
  dumpster::Uuid message_;
  std::uint64_t size_;
  std::uint32_t chunks_;
  std::string id_field_;
  std::shared_ptr<const FreshBody> body_;
  std::uint32_t next_chunk_ = 0;
};

}  // namespace relay
