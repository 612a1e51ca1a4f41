#include "relay/hub/offline_verification.hpp"

#include <iostream>

#include "dumpster/verify.hpp"

namespace relay {

int verify_offline(const std::filesystem::path& data_dir) {
  const auto found = dumpster::verify_store(data_dir / "store");
  if (!found) {
    std::cerr << found.error().detail << '\n';
    return 1;
  }
  for (const auto& fault : found->faults)
    std::cerr << fault << '\n';
  std::cout << found->messages << " messages, " << found->spooled << " in the spool, " << found->lines
            << " deliveries retained, " << found->chunks << " chunks of bodies: "
            << (found->sound() ? "sound" : std::to_string(found->faults.size()) + " faults") << '\n';
  return found->sound() ? 0 : 1;
}

}  // namespace relay
