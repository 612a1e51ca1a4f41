#pragma once

#include <string>

#include "dumpster/delivery.hpp"
#include "recovery/http/message.hpp"

namespace recovery {

// What path and query of a request name. Each refuses with 400, naming the parameter, or 404 what is
// malformed.

dumpster::StorageGroup group_of(const http::Request& request);
dumpster::Uuid delivery_id_in(const http::Request& request);
dumpster::Instant instant_from(const std::string& name, const std::string& value);
bool flag_from(const std::string& name, const std::string& value);  ///< `true` or `false`

}  // namespace recovery
