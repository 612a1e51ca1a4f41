#pragma once

#include <cstdint>
#include <string_view>

namespace relay::smtp {

/// The part at the front of a text that holds only what a message may hold: lines that end with CRLF, no
/// other CR or LF, no NUL (RFC 5321 2.3.8, 4.1.1.4).
struct TextRun {
  enum class Stop : std::uint8_t {
    line_end,    ///< behind a CRLF: the text is used up, or the next line begins with a dot
    text_end,    ///< the text is used up within a line
    pending_cr,  ///< the text ends with a CR, which is not in the run
    bare_cr,     ///< the byte behind the run is the first one at fault
    bare_lf,
    nul,
  };
  std::string_view bytes;
  Stop stop = Stop::text_end;
};

/// `text` begins at the start of a line or within one, its first byte is no LF that belongs to a CR seen
/// before. With `stop_at_dots` the run ends before each further line that begins with a dot. Time is linear
/// in the run and one line.
TextRun scan_text(std::string_view text, bool stop_at_dots);

}  // namespace relay::smtp
