#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace recovery {

/// What is wrong with a text that may not be JSON at all: a sentence; nothing when it is fine. Refused beside
/// what RFC 8259 refuses: an object with two members of one name (readers differ in which one they take) and
/// nesting deeper than 32.
std::optional<std::string> json_fault(std::string_view text);

}  // namespace recovery
