#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "recovery/access/permission.hpp"
#include "recovery/api/calls.hpp"

namespace recovery {

/// One call of the API as it is found by method and path. `openapi.json` describes the same calls; a test
/// compares the two.
struct Operation {
  std::string_view method;
  std::string_view path;
  Action action = Action::look;
  Calls::Answer (Calls::*call)(Caller, http::Request, http::Responder&) = nullptr;
  std::size_t max_body = 0;    ///< bytes
  bool operator_only = false;  ///< on the operator's socket alone
};

const std::vector<Operation>& operations();

/// The description in OpenAPI 3.1, `recovery/api/openapi.json` as it was when the program was built.
std::string_view openapi_description();

}  // namespace recovery
