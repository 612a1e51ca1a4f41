#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace relay::smtp {

/// RFC 3461 4: whether `text` is xtext. Non-ASCII is never xtext.
bool is_xtext(std::string_view text);

/// What xtext stands for. `text` must be xtext.
std::string xtext_decode(std::string_view text);

/// RFC 4648 4, with its padding and nothing else; nothing for what is not.
std::optional<std::string> base64_decode(std::string_view text);

/// Whether `text` is well-formed UTF-8 (RFC 3629): no overlong forms, no surrogates, nothing above U+10FFFF.
bool is_utf8(std::string_view text);

/// `text` as it may stand in logs and notifications: well-formed UTF-8 with `?` for every other byte and for
/// control characters but LF, cut behind a whole character to `limit` octets with `...` at its end.
std::string clean_utf8(std::string_view text, std::size_t limit);

/// Whether a byte above 127 is in `text`.
bool has_non_ascii(std::string_view text);

/// Case-insensitive comparison of ASCII.
bool same_word(std::string_view one, std::string_view other);

}  // namespace relay::smtp
