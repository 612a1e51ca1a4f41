#include "relay/hub/configuration/sections.hpp"

namespace relay {

using namespace std::chrono_literals;
using recovery::Microseconds;
using recovery::TomlTable;

dumpster::RetentionLimits read_dumpster(TomlTable dumpster) {
  dumpster::RetentionLimits limits;
  limits.max_size = dumpster.size("max_size", 1024 * mebibyte);
  limits.max_time = dumpster.duration("max_time", Microseconds{std::chrono::hours{24 * 7}}, {0s, longest});
  limits.truncate_replicated = dumpster.boolean("truncate_replicated", false);
  dumpster.close();
  return limits;
}

}  // namespace relay
