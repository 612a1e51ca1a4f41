#include "recovery/api/fields.hpp"

#include <boost/json/parse.hpp>

#include "recovery/api/json_shape.hpp"
#include "recovery/api/refusal.hpp"
#include "recovery/configuration/quantity.hpp"

namespace recovery {

Fields::Fields(const boost::json::object& object, std::string place)
    : object_(object), place_(std::move(place)) {}

const boost::json::value* Fields::find(std::string_view name) {
  asked_.emplace(name);
  return object_.if_contains(name);
}

void Fields::refuse(std::string_view name, std::string_view why) const {
  const std::string field = place_ + std::string{name};
  boost::json::object members;
  members["field"] = field;
  throw Refusal{400, field + " " + std::string{why}, std::move(members)};
}

std::optional<std::string> Fields::text_if_any(std::string_view name, std::size_t longest) {
  const auto* value = find(name);
  if (value == nullptr) return std::nullopt;
  if (!value->is_string()) refuse(name, "is not a string");
  const auto& text = value->get_string();
  if (text.empty()) refuse(name, "is empty");
  if (text.size() > longest) refuse(name, "is longer than " + std::to_string(longest) + " bytes");
  return std::string{text};
}

std::string Fields::text(std::string_view name, std::size_t longest) {
  auto value = text_if_any(name, longest);
  if (!value) refuse(name, "is missing");
  return std::move(*value);
}

std::optional<std::uint64_t> Fields::number_if_any(std::string_view name, std::uint64_t most) {
  const auto* value = find(name);
  if (value == nullptr) return std::nullopt;
  std::uint64_t number = 0;
  if (value->is_uint64()) {
    number = value->get_uint64();
  } else if (value->is_int64() && value->get_int64() >= 0) {
    number = static_cast<std::uint64_t>(value->get_int64());
  } else {
    refuse(name, "is not a whole number from 0 on");
  }
  if (number > most) refuse(name, "is above " + std::to_string(most));
  return number;
}

std::uint64_t Fields::number(std::string_view name, std::uint64_t most) {
  const auto value = number_if_any(name, most);
  if (!value) refuse(name, "is missing");
  return *value;
}

dumpster::Instant Fields::instant(std::string_view name) {
  const auto value = dumpster::from_rfc3339(text(name, 64));
  if (!value) refuse(name, "is not an instant of RFC 3339");
  return *value;
}

dumpster::Duration Fields::duration(std::string_view name, dumpster::Duration most) {
  const auto* value = find(name);
  if (value == nullptr) refuse(name, "is missing");
  std::optional<dumpster::Duration> duration;
  if (value->is_string()) {
    const auto& text = value->get_string();
    duration = duration_from({text.data(), text.size()});
  } else if (value->is_int64() && value->get_int64() >= 0 &&
             value->get_int64() <= most / std::chrono::seconds{1}) {
    duration = std::chrono::seconds{value->get_int64()};
  }
  if (!duration) refuse(name, "is not a time such as \"90s\", nor a number of seconds in range");
  if (*duration > most) refuse(name, "is longer than " + duration_to_string(most));
  return *duration;
}

std::optional<bool> Fields::flag_if_any(std::string_view name) {
  const auto* value = find(name);
  if (value == nullptr) return std::nullopt;
  if (!value->is_bool()) refuse(name, "is neither true nor false");
  return value->get_bool();
}

const boost::json::array* Fields::array_if_any(std::string_view name) {
  const auto* value = find(name);
  if (value == nullptr) return nullptr;
  if (!value->is_array()) refuse(name, "is not a list");
  return &value->get_array();
}

void Fields::end() const {
  for (const auto& member : object_) {
    const std::string_view name{member.key().data(), member.key().size()};
    if (!asked_.contains(name)) refuse(name.substr(0, 100), "is not a member of this request");
  }
}

boost::json::object parse_object(std::string_view body) {
  if (const auto fault = json_fault(body)) throw Refusal{400, "the body cannot be used: " + *fault};
  boost::json::error_code error;
  auto value = boost::json::parse({body.data(), body.size()}, error);
  if (error) throw Refusal{400, "the body is not JSON: " + error.message()};
  if (!value.is_object()) throw Refusal{400, "the body is not a JSON object"};
  return std::move(value.get_object());
}

}  // namespace recovery
