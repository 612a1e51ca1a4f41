#pragma once

#include <functional>
#include <string>

#include "recovery/http/router.hpp"

namespace recovery {

/// What the endpoints for monitoring are fed with. The functions are called on the thread that serves them;
/// they must not block for longer than a client of that thread may wait.
struct Observed {
  std::function<std::string()> metrics;  ///< Prometheus text, version 0.0.4
  std::function<bool()> accepting;       ///< whether mail is accepted
};

/// Adds `GET /metrics`; `GET /healthz`, which is 200 as long as the process answers; `GET /readyz`, which is
/// 200 while mail is accepted and 503 otherwise, so that a balancer looks elsewhere. None wants a token, none
/// tells of mail.
void add_observability(http::Router& router, Observed observed);

}  // namespace recovery
