#pragma once

#include <cstddef>
#include <cstdint>

namespace recovery::agent {

/// The next term above `highest` that belongs to the node at `place` (from 0) of `nodes`: its remainder by
/// the number of nodes is the place, so terms of different nodes are never equal. `place` is below `nodes`.
std::uint64_t next_term(std::uint64_t highest, std::size_t place, std::size_t nodes);

}  // namespace recovery::agent
