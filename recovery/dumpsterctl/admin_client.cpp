#include "recovery/dumpsterctl/admin_client.hpp"

#include <curl/curl.h>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <memory>
#include <stdexcept>

namespace recovery::dumpsterctl {
namespace {

constexpr std::size_t largest_answer = std::size_t{64} << 20U;
constexpr long connect_seconds = 5;

using Handle = std::unique_ptr<CURL, decltype(&curl_easy_cleanup)>;

std::size_t on_bytes(char* bytes, std::size_t, std::size_t count, void* target) {
  auto& body = *static_cast<std::string*>(target);
  if (body.size() + count > largest_answer) return 0;
  body.append(bytes, count);
  return count;
}

/// The problem's own words (RFC 9457), or the status when there are none.
std::string words_of(long status, const std::string& body) {
  boost::system::error_code error;
  const auto value = boost::json::parse(body, error);
  if (!error && value.is_object()) {
    const auto* detail = value.get_object().if_contains("detail");
    if (detail != nullptr && detail->is_string()) return std::string{detail->get_string()};
  }
  return "it answered with status " + std::to_string(status);
}

}  // namespace

void throw_exception_from_error(const AskFault& fault, const boost::source_location&) {
  throw std::runtime_error(fault.text);
}

boost::system::result<std::string, AskFault> AdminClient::call(const char* method, const std::string& path,
                                                               const std::string& document,
                                                               std::chrono::seconds patience) const {
  const Handle handle{curl_easy_init(), &curl_easy_cleanup};
  if (!handle) return AskFault{"libcurl is not available"};
  std::string body;
  char reason[CURL_ERROR_SIZE] = "";
  const std::string url = "http://hub" + path;
  curl_easy_setopt(handle.get(), CURLOPT_URL, url.c_str());
  curl_easy_setopt(handle.get(), CURLOPT_UNIX_SOCKET_PATH, socket_.c_str());
  curl_easy_setopt(handle.get(), CURLOPT_CUSTOMREQUEST, method);
  curl_easy_setopt(handle.get(), CURLOPT_PROTOCOLS_STR, "http");
  curl_easy_setopt(handle.get(), CURLOPT_PROXY, "");
  curl_easy_setopt(handle.get(), CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(handle.get(), CURLOPT_CONNECTTIMEOUT, connect_seconds);
  curl_easy_setopt(handle.get(), CURLOPT_TIMEOUT, static_cast<long>(patience.count()));
  curl_easy_setopt(handle.get(), CURLOPT_ERRORBUFFER, reason);
  curl_easy_setopt(handle.get(), CURLOPT_WRITEFUNCTION, on_bytes);
  curl_easy_setopt(handle.get(), CURLOPT_WRITEDATA, &body);
  const std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)> fields{
      curl_slist_append(nullptr, "Content-Type: application/json"), &curl_slist_free_all};
  if (!document.empty()) {
    curl_easy_setopt(handle.get(), CURLOPT_HTTPHEADER, fields.get());
    curl_easy_setopt(handle.get(), CURLOPT_POSTFIELDSIZE, static_cast<long>(document.size()));
    curl_easy_setopt(handle.get(), CURLOPT_POSTFIELDS, document.c_str());
  }
  const auto code = curl_easy_perform(handle.get());
  if (code == CURLE_COULDNT_CONNECT)
    return AskFault{"cannot reach the hub on " + socket_ + ": is dumpsterd running?"};
  if (code != CURLE_OK) {
    return AskFault{"the hub on " + socket_ +
                    " did not answer: " + (reason[0] != '\0' ? reason : curl_easy_strerror(code))};
  }
  long status = 0;
  curl_easy_getinfo(handle.get(), CURLINFO_RESPONSE_CODE, &status);
  if (status != 200 && status != 202) return AskFault{"the hub refused: " + words_of(status, body)};
  return {boost::system::in_place_value, std::move(body)};
}

std::string escaped(const std::string& segment) {
  const std::unique_ptr<char, decltype(&curl_free)> text{
      curl_easy_escape(nullptr, segment.data(), static_cast<int>(segment.size())), &curl_free};
  return text ? text.get() : std::string{};
}

}  // namespace recovery::dumpsterctl
