#include "relay/delivery/body_source.hpp"

#include "dumpster/await.hpp"

namespace relay {

boost::asio::awaitable<dumpster::Result<std::string>> BodySource::next() {
  std::string bytes;
  bytes.swap(id_field_);  // it goes out with the first chunk
  if (body_) {
    if (next_chunk_ < body_->chunks().size()) bytes += body_->chunks()[next_chunk_];
    ++next_chunk_;
    co_return bytes;
  }
  if (finished()) co_return bytes;
  auto read = [this](dumpster::Completion<std::string> done) {
    store_->read_body(message_, next_chunk_, std::move(done));
  };
  auto chunk = co_await dumpster::await_result<std::string>(read);
  if (!chunk) co_return chunk;
  ++next_chunk_;
  bytes += *chunk;
  co_return bytes;
}

}  // namespace relay
