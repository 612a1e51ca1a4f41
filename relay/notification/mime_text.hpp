#pragma once

#include <string>
#include <string_view>

namespace relay::notification {

/// Printable ASCII: everything else becomes `?`, and no more than `longest` octets are kept.
std::string printable(std::string_view text, std::size_t longest);

/// An address as ASCII: characters above 127 as `\x{10FFFF}` (RFC 6533 3), control characters as `?`.
std::string ascii_address(std::string_view address);

/// Text with CRLF line ends alone, without NUL, cut into lines of at most 998 octets.
std::string canonical_lines(std::string_view text);

/// Quoted-printable (RFC 2045 6.7) of text with CRLF line ends.
std::string quoted_printable(std::string_view text);

}  // namespace relay::notification
