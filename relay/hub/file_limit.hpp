#pragma once

#include <cstdint>

namespace relay {

/// Raises the number of files that this process may have open as far as the system allows without being
/// asked, and warns when `connections` and the store's own files do not fit: then connections wait
/// unaccepted.
void raise_file_limit(std::uint64_t connections);

}  // namespace relay
