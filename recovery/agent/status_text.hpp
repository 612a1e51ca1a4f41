#pragma once

#include <string>

#include "recovery/agent/operation.hpp"

namespace recovery::agent {

/// What `status` prints, as JSON and for people.
std::string to_json(const StatusReport& status);
std::string to_text(const StatusReport& status);

}  // namespace recovery::agent
