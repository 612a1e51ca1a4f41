#include "recovery/api/json_shape.hpp"

#include <boost/json/basic_parser_impl.hpp>
#include <limits>
#include <set>
#include <vector>

namespace recovery {
namespace {

using boost::json::error_code;
using Text = boost::json::string_view;

/// Keeps nothing but the names of the objects that are open.
struct NamesOnce {
  static constexpr std::size_t max_object_size = std::numeric_limits<std::size_t>::max();
  static constexpr std::size_t max_array_size = std::numeric_limits<std::size_t>::max();
  static constexpr std::size_t max_key_size = 1024;
  static constexpr std::size_t max_string_size = std::numeric_limits<std::size_t>::max();

  std::vector<std::set<std::string, std::less<>>> open;
  std::string name;
  std::string twice;

  bool on_document_begin(error_code&) { return true; }
  bool on_document_end(error_code&) { return true; }
  bool on_object_begin(error_code&) {
    open.emplace_back();
    return true;
  }
  bool on_object_end(std::size_t, error_code&) {
    open.pop_back();
    return true;
  }
  bool on_array_begin(error_code&) { return true; }
  bool on_array_end(std::size_t, error_code&) { return true; }
  bool on_key_part(Text part, std::size_t, error_code&) {
    name.append(part.data(), part.size());
    return true;
  }
  bool on_key(Text part, std::size_t, error_code& error) {
    name.append(part.data(), part.size());
    const bool fresh = open.back().insert(name).second;
    if (!fresh) {
      twice = name;
      error = boost::json::error::extra_data;
    }
    name.clear();
    return fresh;
  }
  bool on_string_part(Text, std::size_t, error_code&) { return true; }
  bool on_string(Text, std::size_t, error_code&) { return true; }
  bool on_number_part(Text, error_code&) { return true; }
  bool on_int64(std::int64_t, Text, error_code&) { return true; }
  bool on_uint64(std::uint64_t, Text, error_code&) { return true; }
  bool on_double(double, Text, error_code&) { return true; }
  bool on_bool(bool, error_code&) { return true; }
  bool on_null(error_code&) { return true; }
  bool on_comment_part(Text, error_code&) { return true; }
  bool on_comment(Text, error_code&) { return true; }
};

}  // namespace

std::optional<std::string> json_fault(std::string_view text) {
  boost::json::basic_parser<NamesOnce> parser{boost::json::parse_options{}};
  error_code error;
  const auto used = parser.write_some(false, text.data(), text.size(), error);
  const auto& twice = parser.handler().twice;
  if (!twice.empty()) return "the member \"" + twice.substr(0, 100) + "\" stands twice in one object";
  if (error) return "it is not JSON: " + error.message();
  if (used < text.size()) return "it goes on behind its end";
  return std::nullopt;
}

}  // namespace recovery
