#include "relay/hub/offline_verification.hpp"

#include <iostream>

#include "dumpster/repair.hpp"
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

int repair_offline(const std::filesystem::path& data_dir) {
  const auto repaired = dumpster::repair_store(data_dir / "store");
  if (!repaired) {
    std::cerr << repaired.error().detail << '\n';
    return 1;
  }
  std::cout << repaired->messages << " messages saved, " << repaired->spooled << " of them in the spool, "
            << repaired->lines << " deliveries retained\n"
            << repaired->damaged_places << " places could not be read; lost for certain are "
            << repaired->lost_messages << " spooled messages and " << repaired->lost_lines
            << " retained deliveries; what nobody can tell is what an unreadable place held\n"
            << "the damaged store is in " << repaired->set_aside.string() << '\n';
  return 0;
}

}  // namespace relay
