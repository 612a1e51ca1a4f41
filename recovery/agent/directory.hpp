#pragma once

#include <optional>
#include <string>
#include <vector>

#include "dumpster/error.hpp"

namespace recovery::agent {

/// The names in a directory, without `.` and `..`; nothing when it does not exist.
dumpster::Result<std::optional<std::vector<std::string>>> names_in(const std::string& path);

bool is_directory(const std::string& path);

/// `path` cannot be read, for the reason that `errno` gave.
dumpster::Error unreadable(const std::string& path, int error);

}  // namespace recovery::agent
