#include "recovery/dumpsterctl/answers.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <sstream>

namespace recovery::dumpsterctl {

std::string text_or_fault(boost::system::result<std::string, AskFault> answer) {
  if (!answer) throw CommandFault{answer.error().text};
  return std::move(*answer);
}

boost::json::object object_from(const std::string& text) {
  boost::system::error_code error;
  auto value = boost::json::parse(text, error);
  if (error || !value.is_object()) throw CommandFault{"the hub's answer is not a JSON object"};
  return std::move(value.get_object());
}

std::vector<boost::json::object> objects_from(const std::string& text) {
  std::vector<boost::json::object> list;
  std::istringstream in{text};
  for (std::string line; std::getline(in, line);)
    list.push_back(object_from(line));
  return list;
}

std::string path_of_group(const std::string& group) {
  const auto slash = group.find('/');
  if (slash == std::string::npos || slash == 0 || slash + 1 == group.size())
    throw CommandFault{"'" + group + "' is not written as CLUSTER/GROUP"};
  return "/v1/clusters/" + escaped(group.substr(0, slash)) + "/storage-groups/" +
         escaped(group.substr(slash + 1));
}

}  // namespace recovery::dumpsterctl
