#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <memory>
#include <string>

#include "recovery/agent/hub_client.hpp"

namespace recovery::agent {

struct CurlHubClientSettings {
  std::string address;  ///< `http://host:port` or `https://…`
  std::string token;
  std::string node;
  std::string ca;  ///< empty: those of the system
  std::string certificate;
  std::string key;
  std::chrono::milliseconds connect_deadline{3'000};
  std::chrono::milliseconds call_deadline{60'000};
  std::chrono::milliseconds order_deadline{60'000};  ///< a request for mail may name thousands of deliveries
  std::chrono::milliseconds listing_deadline{900'000};
  std::size_t largest_answer = 8U << 20;
  std::size_t largest_line = 16U << 20;
  const std::atomic<bool>* stop = nullptr;  ///< once true, a call under way ends as unreachable
};

/// A client over HTTP. Follows no redirection, uses no proxy, and checks the certificate and name of an https
/// hub.
std::unique_ptr<HubClient> make_curl_hub_client(CurlHubClientSettings settings);

}  // namespace recovery::agent
