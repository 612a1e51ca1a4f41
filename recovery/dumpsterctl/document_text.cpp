#include "recovery/dumpsterctl/document_text.hpp"

#include <boost/json/serialize.hpp>

namespace recovery::dumpsterctl {

namespace json = boost::json;

std::string text_of(const json::object& object, std::string_view name) {
  const auto* value = object.if_contains(name);
  if (value == nullptr || value->is_null()) return "-";
  if (value->is_string()) return std::string{value->get_string()};
  if (value->is_bool()) return value->get_bool() ? "yes" : "no";
  return json::serialize(*value);
}

std::string instant_of(const json::object& object, std::string_view name) {
  return shown_instant(text_of(object, name));
}

std::string size_of(const json::object& object, std::string_view name) {
  const auto* value = object.if_contains(name);
  if (value == nullptr || !value->is_number()) return "-";
  return shown_size(value->to_number<double>());
}

std::string span_of(const json::object& object, std::string_view name) {
  const auto* value = object.if_contains(name);
  if (value == nullptr || !value->is_number()) return "-";
  const auto seconds = static_cast<std::uint64_t>(value->to_number<double>());
  const auto minutes = seconds / 60;
  const auto hours = minutes / 60;
  const auto days = hours / 24;
  if (days > 0) return std::to_string(days) + "d " + std::to_string(hours % 24) + "h";
  if (hours > 0) return std::to_string(hours) + "h " + std::to_string(minutes % 60) + "m";
  if (minutes > 0) return std::to_string(minutes) + "m " + std::to_string(seconds % 60) + "s";
  return std::to_string(seconds) + "s";
}

std::string named_lines(const std::vector<std::pair<std::string, std::string>>& lines) {
  Table table{{{"", 14}, {"", 64}}};
  for (const auto& [name, value] : lines)
    table.add({name, value});
  auto text = table.text();
  return text.substr(text.find('\n') + 1);  // without the empty titles
}

}  // namespace recovery::dumpsterctl
