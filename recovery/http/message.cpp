#include "recovery/http/message.hpp"

#include <algorithm>
#include <array>
#include <boost/json/serialize.hpp>

namespace recovery::http {
namespace {

bool same_name(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [lower](char x, char y) { return lower(x) == lower(y); });
}

constexpr std::array<std::pair<int, std::string_view>, 19> reasons{{{200, "OK"},
                                                                    {202, "Accepted"},
                                                                    {204, "No Content"},
                                                                    {400, "Bad Request"},
                                                                    {401, "Unauthorized"},
                                                                    {403, "Forbidden"},
                                                                    {404, "Not Found"},
                                                                    {405, "Method Not Allowed"},
                                                                    {408, "Request Timeout"},
                                                                    {409, "Conflict"},
                                                                    {411, "Length Required"},
                                                                    {413, "Content Too Large"},
                                                                    {414, "URI Too Long"},
                                                                    {415, "Unsupported Media Type"},
                                                                    {417, "Expectation Failed"},
                                                                    {431, "Request Header Fields Too Large"},
                                                                    {500, "Internal Server Error"},
                                                                    {501, "Not Implemented"},
                                                                    {503, "Service Unavailable"}}};

}  // namespace

std::optional<std::string_view> Request::field(std::string_view name) const {
  for (const auto& [known, value] : fields) {
    if (same_name(known, name)) return value;
  }
  return std::nullopt;
}

const std::string& Request::parameter(const std::string& name) const {
  static const std::string none;
  const auto found = parameters.find(name);
  return found == parameters.end() ? none : found->second;
}

std::string_view reason_of(int status) {
  for (const auto& [code, reason] : reasons) {
    if (code == status) return reason;
  }
  return "Unknown";
}

Response problem(int status, std::string_view detail, boost::json::object members) {
  boost::json::object document;
  document["type"] = "about:blank";
  document["title"] = reason_of(status);
  document["status"] = status;
  document["detail"] = detail;
  for (auto& member : members)
    document[member.key()] = std::move(member.value());
  Response response;
  response.status = status;
  response.content_type = "application/problem+json";
  response.body = boost::json::serialize(document) + "\n";
  return response;
}

}  // namespace recovery::http
