#pragma once

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <string>
#include <string_view>

namespace recovery {

struct Answer {
  int status = 0;
  std::string content_type;
  std::string challenge;
  std::string allow;
  std::string body;
  bool chunked = false;
  bool keep_alive = false;
};

/// A blocking client on one connection of loopback. A read that takes 10 s fails the test by its exception.
class HttpClient {
 public:
  explicit HttpClient(std::uint16_t port) {
    socket_.connect({boost::asio::ip::address_v4::loopback(), port});
    timeval limit{10, 0};
    ::setsockopt(socket_.native_handle(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  }

  void send(std::string_view bytes) { boost::asio::write(socket_, boost::asio::buffer(bytes)); }

  Answer receive() {
    namespace http = boost::beast::http;
    http::response_parser<http::string_body> parser;
    parser.body_limit(boost::none);
    http::read(socket_, buffer_, parser);
    const auto& message = parser.get();
    const auto text = [&message](http::field name) { return std::string{message[name]}; };
    return {static_cast<int>(message.result_int()),
            text(http::field::content_type),
            text(http::field::www_authenticate),
            text(http::field::allow),
            message.body(),
            message.chunked(),
            message.keep_alive()};
  }

  Answer ask(std::string_view method, std::string_view target, std::string_view token = {},
             std::string_view body = {}, std::string_view more_fields = {}) {
    std::string request;
    request.append(method).append(" ").append(target).append(" HTTP/1.1\r\nHost: hub\r\n");
    if (!token.empty()) request.append("Authorization: Bearer ").append(token).append("\r\n");
    if (!body.empty()) request.append("Content-Length: ").append(std::to_string(body.size())).append("\r\n");
    request.append(more_fields).append("\r\n").append(body);
    send(request);
    return receive();
  }

  /// How many lines come until the server closes the connection; none is kept.
  std::size_t count_lines() {
    std::size_t lines = 0;
    std::string block(64 * 1024, '\0');
    boost::system::error_code error;
    while (!error) {
      const auto size = socket_.read_some(boost::asio::buffer(block), error);
      lines +=
          static_cast<std::size_t>(std::count(block.begin(), block.begin() + static_cast<long>(size), '\n'));
    }
    return lines;
  }

  /// All bytes until the server closes the connection.
  std::string rest() {
    std::string bytes;
    boost::system::error_code error;
    boost::asio::read(socket_, boost::asio::dynamic_buffer(bytes), error);
    return bytes;
  }

  /// Whether the server has closed the connection; waits for it.
  bool closed() {
    char byte = 0;
    boost::system::error_code error;
    boost::asio::read(socket_, boost::asio::buffer(&byte, 1), error);
    return error == boost::asio::error::eof || error == boost::asio::error::connection_reset;
  }

 private:
  boost::asio::io_context context_;
  boost::asio::ip::tcp::socket socket_{context_};
  boost::beast::flat_buffer buffer_;
};

}  // namespace recovery
