#pragma once

#include <filesystem>

namespace relay {

/// Walks over the closed store of a hub and prints what it holds and each fault. 0 when it is sound, 1 when
/// it is not, is in use or cannot be read.
int verify_offline(const std::filesystem::path& data_dir);

/// Makes a sound store of what can be read of a hub's that is not running, and tells what was lost. Exit
/// status 0 when there is a repaired store now, otherwise 1 and everything is as it was.
int repair_offline(const std::filesystem::path& data_dir);

}  // namespace relay
