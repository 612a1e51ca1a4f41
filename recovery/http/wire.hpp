#pragma once

#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/system/error_code.hpp>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "recovery/http/message.hpp"

namespace recovery::http {

using Parser = boost::beast::http::request_parser<boost::beast::http::string_body>;

/// The target in front of and behind its question mark.
std::string_view path_of(std::string_view target);
std::string_view query_of(std::string_view target);

/// Takes what the parser has read. Query and parameters are left to the caller.
Request request_from(Parser& parser, std::string_view target, std::string peer);

/// The same of a request whose body is still to come.
Request head_from(const Parser& parser, std::string_view target, std::string peer);

/// What to answer to a fault of reading; nothing when the connection is simply over.
std::optional<Response> problem_for(const boost::system::error_code& error);

/// What to answer to a head that is HTTP and yet refused; nothing when it is fine.
std::optional<Response> check_head(Parser& parser, const std::string& target);

/// What a head says beside its response.
struct HeadFacts {
  std::optional<std::size_t> body_size;  ///< none: a stream
  bool keep_alive = false;
  bool http_1_0 = false;
};

/// Status line and header fields, with the empty line behind them.
std::string head_text(const Response& response, const HeadFacts& facts);

/// One chunk of RFC 9112 7.1; `bytes` are not empty.
std::string chunk_text(std::string_view bytes);

}  // namespace recovery::http
