#pragma once

#include <optional>
#include <string_view>

#include "dumpster/uuid.hpp"

namespace recovery::agent {

/// The UUID in the value of an `X-Dumpster-Id` field, `HUB/UUID`; nothing when it is of another form. The
/// hub's name is not looked at: a hub may be renamed.
std::optional<dumpster::Uuid> delivery_id_in_value(std::string_view value);

/// The UUID of the topmost `X-Dumpster-Id` field of a message's header. Only the topmost counts: mail that
/// arrives with such a field keeps it below the hub's own, and must not pass for another delivery. When the
/// topmost is not of the hub's form, there is none. `text` is the beginning of the message; what follows the
/// first empty line is not read. Lines end with LF or CRLF; a field may be folded (RFC 5322 2.2.3).
std::optional<dumpster::Uuid> delivery_id_in_header(std::string_view text);

}  // namespace recovery::agent
