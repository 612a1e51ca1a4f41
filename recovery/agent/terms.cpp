#include "recovery/agent/terms.hpp"

namespace recovery::agent {

std::uint64_t next_term(std::uint64_t highest, std::size_t place, std::size_t nodes) {
  const std::uint64_t next = highest + 1;
  return next + (nodes + place - next % nodes) % nodes;
}

}  // namespace recovery::agent
