#pragma once

#include <chrono>

#include "relay/net/tls_context.hpp"

namespace relay {

/// Until when the certificate of a context is valid; the beginning of time when it has none.
std::chrono::system_clock::time_point certificate_expiry(const TlsContext& context);

}  // namespace relay
