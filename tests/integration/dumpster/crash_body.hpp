#pragma once

#include <cstdint>
#include <string>

#include "dumpster/uuid.hpp"

namespace dumpster::testing {

/// The body that the crash test gives a message: from its key alone, so that both sides know it.
inline std::string crash_body(const Uuid& key, std::uint64_t size) {
  std::string body(size, '\0');
  std::uint64_t state = std::hash<Uuid>{}(key) | 1U;
  for (auto& byte : body) {
    state = state * 6364136223846793005ULL + 1442695040888963407ULL;
    byte = static_cast<char>(state >> 56U);
  }
  return body;
}

}  // namespace dumpster::testing
