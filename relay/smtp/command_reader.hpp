#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace relay::smtp {

/// Room for the longest command: 512 octets (RFC 5321 4.5.3.1.4) and what SIZE, BODY, SMTPUTF8 and DSN add
/// (RFC 3461 5).
inline constexpr std::size_t max_command_line = 2048;

/// Cuts command lines out of the input. A line ends with CRLF alone. Holds `max_command_line` bytes at the
/// most, however long a line is. Not thread-safe.
class CommandReader {
 public:
  enum class Kind : std::uint8_t {
    incomplete,  ///< the input is used up, no line yet
    line,        ///< `text` is a line without its CRLF
    too_long,    ///< a line of more than `max_command_line` octets, skipped up to its CRLF
    forbidden,   ///< a line with a bare CR or a NUL, skipped up to its CRLF
    bare_lf,     ///< an LF without CR: where the next command begins is not certain, the session cannot go on
    endless,     ///< more than 64 KiB without a line end: the same
  };
  struct Line {
    Kind kind = Kind::incomplete;
    std::string_view text;  ///< valid until the next call, as long as the input stays
  };

  /// Takes bytes from the front of `input`, which becomes shorter.
  Line read(std::string_view& input);

 private:
  Line complete(std::string_view text);

  std::string held_;
  std::size_t skipped_ = 0;  ///< octets of a line that is too long, beyond what was held
  bool last_was_cr_ = false;
  bool done_ = false;  ///< `held_` was given out and can go
};

}  // namespace relay::smtp
