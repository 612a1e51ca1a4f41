#pragma once

#include <boost/asio/awaitable.hpp>
#include <string_view>

#include "relay/delivery/body_source.hpp"

namespace relay {

/// What a message needs of a next hop, whatever its sender has declared.
struct BodyTraits {
  bool ascii_header = true;  ///< nothing above ASCII in front of the first empty line
  bool ascii = true;         ///< nothing above ASCII anywhere
};

/// Looks at a message piece by piece. The result does not depend on how it is split.
class BodyTraitsReader {
 public:
  void take(std::string_view bytes);
  const BodyTraits& traits() const { return traits_; }

 private:
  BodyTraits traits_;
  bool in_header_ = true;
  bool line_is_empty_ = true;  ///< of the current line nothing but CR was seen
};

/// Reads a whole message from where it lies.
boost::asio::awaitable<dumpster::Result<BodyTraits>> read_traits(BodySource& body);

}  // namespace relay
