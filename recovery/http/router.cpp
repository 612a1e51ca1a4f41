#include "recovery/http/router.hpp"

#include <algorithm>

namespace recovery::http {
namespace {

constexpr std::size_t longest_parameter = 255;

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (true) {
    const auto end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool is_parameter(std::string_view segment) {
  return segment.size() > 2 && segment.front() == '{' && segment.back() == '}';
}

std::optional<std::map<std::string, std::string>> match(const Router::Route& route,
                                                        const std::vector<std::string>& segments) {
  if (route.segments.size() != segments.size()) return std::nullopt;
  std::map<std::string, std::string> parameters;
  for (std::size_t i = 0; i < segments.size(); ++i) {
    const std::string& expected = route.segments[i];
    if (is_parameter(expected)) {
      if (segments[i].empty() || segments[i].size() > longest_parameter) return std::nullopt;
      parameters.emplace(expected.substr(1, expected.size() - 2), segments[i]);
    } else if (expected != segments[i]) {
      return std::nullopt;
    }
  }
  return parameters;
}

}  // namespace

void Router::add(std::string method, std::string_view path, Handler handler, std::size_t max_body) {
  Route route;
  route.method = std::move(method);
  route.max_body = max_body;
  route.handler = std::move(handler);
  add(path, std::move(route));
}

void Router::add(std::string_view path, Route route) {
  for (const auto part : split(path, '/'))
    route.segments.emplace_back(part);
  routes_.push_back(std::move(route));
}

Router::Match Router::find(std::string_view method, std::string_view path) const {
  std::vector<std::string> segments;
  for (const auto part : split(path, '/')) {
    auto decoded = percent_decode(part);
    if (!decoded) return Malformed{};
    segments.push_back(std::move(*decoded));
  }
  const auto served = method == "HEAD" ? std::string_view{"GET"} : method;
  std::string allowed;
  for (const auto& route : routes_) {
    auto parameters = match(route, segments);
    if (!parameters) continue;
    if (route.method == served) return Found{&route, std::move(*parameters)};
    if (!allowed.empty()) allowed += ", ";
    allowed += route.method;
    if (route.method == "GET") allowed += ", HEAD";
  }
  if (!allowed.empty()) return OtherMethods{std::move(allowed)};
  return NotFound{};
}

std::optional<std::string> percent_decode(std::string_view text) {
  std::string decoded;
  decoded.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '%') {
      if (i + 2 >= text.size()) return std::nullopt;
      const int high = hex_value(text[i + 1]);
      const int low = hex_value(text[i + 2]);
      if (high < 0 || low < 0) return std::nullopt;
      c = static_cast<char>(high * 16 + low);
      i += 2;
    }
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f) return std::nullopt;
    decoded += c;
  }
  return decoded;
}

std::optional<std::vector<std::pair<std::string, std::string>>> parse_query(std::string_view text) {
  std::vector<std::pair<std::string, std::string>> query;
  if (text.empty()) return query;
  for (const auto part : split(text, '&')) {
    if (part.empty()) continue;
    const auto equals = part.find('=');
    auto name = percent_decode(part.substr(0, equals));
    auto value =
        percent_decode(equals == std::string_view::npos ? std::string_view{} : part.substr(equals + 1));
    if (!name || !value) return std::nullopt;
    query.emplace_back(std::move(*name), std::move(*value));
  }
  return query;
}

}  // namespace recovery::http
