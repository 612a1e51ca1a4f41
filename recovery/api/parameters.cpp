#include "recovery/api/parameters.hpp"

#include "recovery/api/refusal.hpp"

namespace recovery {

dumpster::StorageGroup group_of(const http::Request& request) {
  return {request.parameter("c"), request.parameter("g")};
}

dumpster::Uuid delivery_id_in(const http::Request& request) {
  const auto id = dumpster::uuid_from(request.parameter("id"));
  if (!id) throw Refusal{404, "there is no such delivery"};
  return *id;
}

dumpster::Instant instant_from(const std::string& name, const std::string& value) {
  const auto instant = dumpster::from_rfc3339(value);
  if (!instant) throw Refusal{400, name + " is not an instant of RFC 3339", {{"field", name}}};
  return *instant;
}

bool flag_from(const std::string& name, const std::string& value) {
  if (value != "true" && value != "false") throw Refusal{400, name + " is true or false", {{"field", name}}};
  return value == "true";
}

}  // namespace recovery
