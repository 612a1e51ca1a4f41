#pragma once

#include <boost/json/object.hpp>
#include <stdexcept>
#include <string>
#include <vector>

#include "recovery/dumpsterctl/admin_client.hpp"

namespace recovery::dumpsterctl {

/// Ends a command with a sentence for the operator.
class CommandFault : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// What the hub answered, or `CommandFault`.

std::string text_or_fault(boost::system::result<std::string, AskFault> answer);
boost::json::object object_from(const std::string& text);
/// One object a line.
std::vector<boost::json::object> objects_from(const std::string& text);

/// The path of `CLUSTER/GROUP`, or `CommandFault`.
std::string path_of_group(const std::string& group);

}  // namespace recovery::dumpsterctl
