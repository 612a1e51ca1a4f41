// A configuration file of the hub. Each fault names a line of the file and says something; without a fault
// the hub has a name, a listener, and each cluster an active node among its own.
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <string>

#include "relay/hub/configuration.hpp"
#include "tests/fuzz/fuzzing.hpp"

namespace {

/// A file in memory, for as long as it lives.
class MemoryFile {
 public:
  explicit MemoryFile(std::string_view text) : descriptor_(::memfd_create("configuration", MFD_CLOEXEC)) {
    HOLDS(descriptor_ >= 0);
    HOLDS(::write(descriptor_, text.data(), text.size()) == static_cast<ssize_t>(text.size()));
  }
  ~MemoryFile() { ::close(descriptor_); }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;
  std::string path() const { return "/proc/self/fd/" + std::to_string(descriptor_); }

 private:
  int descriptor_;
};

void check(const relay::HubConfiguration& made) {
  HOLDS(!made.name.empty());
  HOLDS(!made.listeners.empty());
  HOLDS(made.max_message_size > 0);
  for (const auto& cluster : made.clusters) {
    HOLDS(!cluster.name.empty() && !cluster.storage_groups.empty());
    HOLDS(std::find(cluster.nodes.begin(), cluster.nodes.end(), cluster.first_active) != cluster.nodes.end());
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  const auto lines = std::count(text.begin(), text.end(), '\n') + 1;
  const MemoryFile file{text};
  const auto reading = relay::read_configuration(file.path());
  for (const auto& fault : reading.faults) {
    HOLDS(!fault.sentence.empty());
    HOLDS(static_cast<std::ptrdiff_t>(fault.line) <= lines);
  }
  if (reading.faults.empty()) check(reading.configuration);
  return 0;
}
