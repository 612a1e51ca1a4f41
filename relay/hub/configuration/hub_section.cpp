#include "relay/hub/configuration/sections.hpp"

namespace relay {

using namespace std::chrono_literals;
using recovery::Microseconds;
using recovery::TomlTable;

void read_hub(TomlTable hub, HubConfiguration& made) {
  made.name = hub.name("name");
  if (!made.name.empty() && !is_name(made.name)) hub.fault("name", "`name` is not a host name");
  made.data_dir = hub.name("data_dir");
  made.admin_socket = hub.name("admin_socket");
  made.threads = static_cast<unsigned>(hub.integer("threads", 0, {0, 256}));
  hub.close();
}

}  // namespace relay
