#include "recovery/http/wire.hpp"

#include <array>
#include <cstdio>
#include <ctime>

namespace recovery::http {

namespace beast = boost::beast;
using boost::system::error_code;

namespace {

constexpr std::size_t longest_target = std::size_t{8} * 1024;

/// RFC 9110 5.6.7.
std::string http_date() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  gmtime_r(&now, &parts);
  char text[40];
  const auto size = std::strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &parts);
  return {text, size};
}

}  // namespace

std::string_view path_of(std::string_view target) {
  return target.substr(0, target.find('?'));
}

namespace {

template <class Message>
Request head_of(const Message& message, std::string_view target, std::string peer) {
  Request request;
  request.method = std::string{message.method_string()};
  request.path = path_of(target);
  request.peer = std::move(peer);
  for (const auto& field : message)
    request.fields.emplace_back(std::string{field.name_string()}, std::string{field.value()});
  return request;
}

}  // namespace

Request request_from(Parser& parser, std::string_view target, std::string peer) {
  auto message = parser.release();
  auto request = head_of(message, target, std::move(peer));
  request.body = std::move(message.body());
  return request;
}

Request head_from(const Parser& parser, std::string_view target, std::string peer) {
  return head_of(parser.get(), target, std::move(peer));
}

std::string_view query_of(std::string_view target) {
  const auto mark = target.find('?');
  return mark == std::string_view::npos ? std::string_view{} : target.substr(mark + 1);
}

std::optional<Response> problem_for(const error_code& error) {
  namespace fault = beast::http;
  if (error == fault::error::header_limit || error == fault::error::buffer_overflow) {
    return problem(431, "the header is larger than this server takes");
  }
  if (error == fault::error::body_limit) return problem(413, "the body is larger than this request may have");
  if (error == fault::error::end_of_stream || error == fault::error::partial_message) return std::nullopt;
  if (error.category() == make_error_code(fault::error::bad_method).category()) {
    return problem(400, "not a request of HTTP/1.1: " + error.message());
  }
  return std::nullopt;
}

std::optional<Response> check_head(Parser& parser, const std::string& target) {
  if (target.size() > longest_target) return problem(414, "the target is longer than 8 KiB");
  if (target.empty() || target.front() != '/') return problem(400, "the target is not a path");
  if (parser.get().version() == 11 && parser.get().count(beast::http::field::host) != 1) {
    return problem(400, "HTTP/1.1 wants exactly one Host field");
  }
  return std::nullopt;
}

std::string head_text(const Response& response, const HeadFacts& facts) {
  std::string head{facts.http_1_0 ? "HTTP/1.0 " : "HTTP/1.1 "};
  head += std::to_string(response.status) + " ";
  head += reason_of(response.status);
  head += "\r\nDate: " + http_date() + "\r\n";
  if (!response.content_type.empty()) head += "Content-Type: " + response.content_type + "\r\n";
  for (const auto& [name, value] : response.fields)
    head += name + ": " + value + "\r\n";
  if (facts.body_size && response.status != 204) {
    head += "Content-Length: " + std::to_string(*facts.body_size) + "\r\n";
  } else if (!facts.body_size && !facts.http_1_0) {
    head += "Transfer-Encoding: chunked\r\n";
  }
  if (!facts.keep_alive) {
    head += "Connection: close\r\n";
  } else if (facts.http_1_0) {
    head += "Connection: keep-alive\r\n";
  }
  return head + "\r\n";
}

std::string chunk_text(std::string_view bytes) {
  std::array<char, 24> size{};
  std::snprintf(size.data(), size.size(), "%zx\r\n", bytes.size());
  std::string chunk{size.data()};
  chunk += bytes;
  chunk += "\r\n";
  return chunk;
}

}  // namespace recovery::http
