#pragma once

#include <boost/asio/ssl/context.hpp>
#include <memory>

#include "dumpster/error.hpp"
#include "recovery/http/server.hpp"

namespace recovery::http {

/// TLS 1.2 and later with the server's certificate; the error names the file that does not do.
dumpster::Result<std::shared_ptr<boost::asio::ssl::context>> make_tls_context(const TlsSettings& settings);

}  // namespace recovery::http
