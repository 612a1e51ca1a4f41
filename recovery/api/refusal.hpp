#pragma once

#include <boost/json/object.hpp>
#include <stdexcept>
#include <string_view>

#include "dumpster/error.hpp"
#include "recovery/http/message.hpp"

namespace recovery {

/// Ends a call with a problem document instead of its answer. Thrown before the answer is begun.
class Refusal : public std::runtime_error {
 public:
  Refusal(int status, std::string_view detail, boost::json::object members = {});
  /// What the store says: 404, 409, 400, 503 or 500.
  explicit Refusal(const dumpster::Error& error, boost::json::object members = {});

  const http::Response& response() const { return response_; }
  http::Response& response() { return response_; }

 private:
  http::Response response_;
};

}  // namespace recovery
