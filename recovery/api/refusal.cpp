#include "recovery/api/refusal.hpp"

#include <string>
#include <utility>

namespace recovery {
namespace {

int status_of(dumpster::Fault fault) {
  switch (fault) {
    case dumpster::Fault::not_found:
      return 404;
    case dumpster::Fault::conflict:
      return 409;
    case dumpster::Fault::invalid:
      return 400;
    case dumpster::Fault::unavailable:
      return 503;
    case dumpster::Fault::damaged:
      break;
  }
  return 500;
}

}  // namespace

Refusal::Refusal(int status, std::string_view detail, boost::json::object members)
    : std::runtime_error(std::string{detail}), response_(http::problem(status, detail, std::move(members))) {
  if (status == 503) response_.fields.emplace_back("Retry-After", "1");
}

Refusal::Refusal(const dumpster::Error& error, boost::json::object members)
    : Refusal(status_of(error.fault), error.detail, std::move(members)) {}

}  // namespace recovery
