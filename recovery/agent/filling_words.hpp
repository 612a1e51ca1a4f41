#pragma once

#include <string>
#include <vector>

#include "recovery/agent/comparison.hpp"

namespace recovery::agent {

/// Why a decision was taken, in one sentence for `--report`.
std::string reason_of(const Decision& decision);

/// What cannot be exact is said: a note for each mailbox that the node does not have (new, or renamed by its
/// user: its mail of the window is delivered again), the first 20 of them by name.
void note_inexactness(const Inventory& inventory, std::vector<std::string>& notes);

}  // namespace recovery::agent
