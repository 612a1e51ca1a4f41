#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace relay::smtp {

/// Adds transparency (RFC 5321 4.5.2) to a message on its way out and ends it. The result does not depend on
/// how the message is split. What a message must not hold (bare CR, bare LF, NUL) is never written: `false`,
/// and the encoder is of no more use. Not thread-safe.
class DataEncoder {
 public:
  bool encode(std::string_view bytes, std::string& output);
  /// Writes CRLF where the message does not end with one, then the dot.
  bool finish(std::string& output);

 private:
  enum class State : std::uint8_t { line_start, text, cr };
  State state_ = State::line_start;
};

}  // namespace relay::smtp
