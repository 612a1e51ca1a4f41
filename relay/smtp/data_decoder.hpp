#pragma once

#include <cstdint>
#include <string_view>

namespace relay::smtp {

/// Reads the bytes behind DATA or within BDAT chunks.
///
/// With `Framing::dots` it removes transparency (RFC 5321 4.5.2) and finds the end: CRLF.CRLF and nothing
/// else (the CRLF of the DATA command counts as the first one). With `Framing::counted` dots mean nothing and
/// the caller knows the end. In both, a message with a CR that no LF follows, an LF that no CR precedes, or a
/// NUL is at fault: from there on nothing is passed on, but the true end is still found. The result does not
/// depend on how the input is split. Nothing is buffered; bytes given are views of the input (or of a
/// constant CRLF). Not thread-safe.
class DataDecoder {
 public:
  enum class Framing : std::uint8_t { dots, counted };
  enum class Kind : std::uint8_t {
    more,     ///< the input is used up
    bytes,    ///< a run of the message, as long as the input allows
    bare_cr,  ///< fault, told once
    bare_lf,  ///< fault, told once
    nul,      ///< fault, told once
    end,      ///< the end of data was read; what is left of the input is the next command
  };
  struct Step {
    Kind kind = Kind::more;
    std::string_view bytes;
  };

  explicit DataDecoder(Framing framing = Framing::dots) : framing_(framing) {}

  /// Takes bytes from the front of `input`, which becomes shorter.
  Step decode(std::string_view& input);
  /// Passes nothing more on; only the end is looked for.
  void discard() { discarding_ = true; }
  /// Counted framing: whether the bytes may end here, i.e. no CR waits for its LF.
  bool may_end() const { return state_ != State::cr; }

 private:
  enum class State : std::uint8_t {
    line_start,
    dot,     ///< a dot at the start of a line, not passed on
    dot_cr,  ///< dot, CR
    text,
    cr,  ///< a CR not passed on yet
  };

  Step decode_run(std::string_view& input);
  Step fault(Kind kind);
  void skip_run(std::string_view& input);

  Framing framing_;
  State state_ = State::line_start;
  bool discarding_ = false;
};

}  // namespace relay::smtp
