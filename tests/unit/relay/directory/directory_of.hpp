#pragma once

#include <sstream>
#include <string>

#include "relay/directory/file_directory.hpp"

namespace relay {

inline FileDirectorySettings two_groups() {
  return {{{"ccr1", "sg1"}, {"ccr1", "sg2"}}, "hub1.example.test"};
}

inline DirectoryResult<std::shared_ptr<const Directory>> directory_of(const std::string& text) {
  std::istringstream in{text};
  return read_file_directory(in, two_groups());
}

}  // namespace relay
