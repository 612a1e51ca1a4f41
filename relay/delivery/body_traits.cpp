#include "relay/delivery/body_traits.hpp"

#include "relay/smtp/text.hpp"

namespace relay {

void BodyTraitsReader::take(std::string_view bytes) {
  while (in_header_ && !bytes.empty()) {
    const auto end = bytes.find('\n');
    const auto line = bytes.substr(0, end);
    if (smtp::has_non_ascii(line)) traits_.ascii_header = traits_.ascii = false;
    if (!line.empty() && line != "\r") line_is_empty_ = false;
    if (end == std::string_view::npos) return;
    in_header_ = !line_is_empty_;
    line_is_empty_ = true;
    bytes.remove_prefix(end + 1);
  }
  if (smtp::has_non_ascii(bytes)) traits_.ascii = false;
}

boost::asio::awaitable<dumpster::Result<BodyTraits>> read_traits(BodySource& body) {
  BodyTraitsReader reader;
  while (!body.finished()) {
    auto bytes = co_await body.next();
    if (!bytes) co_return bytes.error();
    reader.take(*bytes);
    if (!reader.traits().ascii_header) break;  // worse it cannot become
  }
  co_return reader.traits();
}

}  // namespace relay
