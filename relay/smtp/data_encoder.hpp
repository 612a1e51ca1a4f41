#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace relay::smtp {

/// Adds transparency (RFC 5321 4.5.2) to a message on its way out and ends it, or only checks it, for BDAT.
/// The result does not depend on how the message is split. What a message must not hold (bare CR, bare LF,
/// NUL) is never written: `false`, and the encoder is of no more use. Not thread-safe.
class DataEncoder {
 public:
  enum class Form : std::uint8_t {
    dots,      ///< for DATA
    verbatim,  ///< for BDAT: not a byte is added, at the end neither
  };
  explicit DataEncoder(Form form = Form::dots) : form_(form) {}

  bool encode(std::string_view bytes, std::string& output);
  /// For DATA: writes CRLF where the message does not end with one, then the dot.
  bool finish(std::string& output);

 private:
  enum class State : std::uint8_t { line_start, text, cr };
  Form form_;
  State state_ = State::line_start;
};

}  // namespace relay::smtp
