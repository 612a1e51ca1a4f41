#include "relay/delivery/body_source.hpp"

#include "dumpster/await.hpp"

namespace relay {

boost::asio::awaitable<dumpster::Result<std::string>> BodySource::next() {
  std::string bytes;
  if (!id_field_.empty()) {
    bytes.swap(id_field_);
    co_return bytes;
  }
  if (body_) {
    if (next_chunk_ == 0) bytes = *body_;
    next_chunk_ = 1;
    co_return bytes;
  }
  if (next_chunk_ == chunks_) co_return bytes;
  auto read = [this](dumpster::Completion<std::string> done) {
    store_->read_body(message_, next_chunk_, std::move(done));
  };
  auto chunk = co_await dumpster::await_result<std::string>(read);
  ++next_chunk_;
  co_return chunk;
}

}  // namespace relay
