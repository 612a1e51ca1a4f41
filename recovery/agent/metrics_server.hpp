#pragma once

#include <functional>
#include <memory>
#include <string>

#include "dumpster/error.hpp"

namespace recovery::agent {

/// `GET /metrics` and `GET /healthz` (the process answers) on a thread of its own.
class MetricsServer {
 public:
  MetricsServer();
  ~MetricsServer();  ///< stops at once
  MetricsServer(const MetricsServer&) = delete;
  MetricsServer& operator=(const MetricsServer&) = delete;

  /// `text` is called on the server's thread.
  dumpster::Result<void> start(const std::string& address, std::function<std::string()> text);

 private:
  struct Running;
  std::unique_ptr<Running> running_;
};

}  // namespace recovery::agent
