#include "relay/hub/configuration/sections.hpp"

namespace relay {

using namespace std::chrono_literals;
using recovery::Microseconds;
using recovery::TomlTable;

void read_directory(TomlTable directory, HubConfiguration& made) {
  not_available(directory, "type", directory.word("type", {"file", "ldap"}, "file") != "file");
  made.recipients = directory.name("path");
  directory.close();
}

}  // namespace relay
